#include "engine/kernels/cpu/row_kernels.h"

namespace mirror::kernels {

#if defined(MIRROR_ROW_KERNELS)

namespace avx2 {
extern const RowKernels kRowKernels;
}
namespace avx512 {
extern const RowKernels kRowKernels;
}

const RowKernels* row_kernels() {
    static const RowKernels* const chosen = [] {
        const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        if (wide) return &avx512::kRowKernels;
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2::kRowKernels : nullptr;
    }();
    return chosen;
}

#else

const RowKernels* row_kernels() { return nullptr; }

#endif

}  // namespace mirror::kernels
