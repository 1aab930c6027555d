#include "engine/kernels/cpu/row_kernels.h"

namespace mirror::kernels::avx2 {

#include "engine/kernels/cpu/row_kernels_body.h"

}  // namespace mirror::kernels::avx2
