#pragma once
// The one precompiled header of all engine libraries.
#include <ATen/ATen.h>
