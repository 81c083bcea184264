"""Calls a Container Runtime Interface: cri_client.py SOCKET FOLDER, then a line of standard input for
each call, "METHOD JSON"; the answer is a line of JSON, in the order of the calls. FOLDER has the module
that protoc made of cri_client.proto. "$NAME" within the JSON is an answer's member of that name."""
import json
import sys

import grpc
from google.protobuf import json_format

sys.path.insert(0, sys.argv[2])
import cri_client_pb2 as messages  # noqa: E402

known = {}
with grpc.insecure_channel("unix:" + sys.argv[1]) as channel:
    for line in sys.stdin:
        method, _, text = line.strip().partition(" ")
        for name, value in known.items():
            text = text.replace("$" + name, value)
        request = json_format.Parse(text or "{}", getattr(messages, method + "Request")())
        call = channel.unary_unary(
            "/runtime.v1.RuntimeService/" + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=getattr(messages, method + "Response").FromString,
        )
        try:
            answer = json_format.MessageToDict(
                call(request, timeout=20), preserving_proto_field_name=True
            )
        except grpc.RpcError as error:
            print(method + ": " + error.details(), file=sys.stderr)
            sys.exit(1)
        known.update({name: value for name, value in answer.items() if isinstance(value, str)})
        print(json.dumps(answer), flush=True)
