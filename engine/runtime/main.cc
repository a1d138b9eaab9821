#include "engine/runtime/config.h"
int main() { return 0; }
