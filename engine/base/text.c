#include "haetae/base.h"
