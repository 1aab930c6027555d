#pragma once

// Body of the row kernels, included once by the source of each instruction set inside its namespace, whose flags decide
// what the vectors of 16 floats become. Sums and products are not contracted, so the results are the same on all of
// them.

namespace {

typedef float Floats __attribute__((vector_size(64)));
typedef std::int32_t Ints __attribute__((vector_size(64)));
typedef std::uint32_t Bits __attribute__((vector_size(64)));
typedef std::uint16_t Halves __attribute__((vector_size(32)));
constexpr std::int64_t kLanes = kRowKernelLanes;

inline Floats load(const float* from) {
    Floats values;
    __builtin_memcpy(&values, from, sizeof values);
    return values;
}

inline Floats load(const std::uint16_t* from) {
    Halves halves;
    __builtin_memcpy(&halves, from, sizeof halves);
    return (Floats)(__builtin_convertvector(halves, Bits) << 16);
}

inline void store(float* to, Floats values) { __builtin_memcpy(to, &values, sizeof values); }

// To nearest even; what is not a number stays that.
inline void store(std::uint16_t* to, Floats values) {
    const Bits bits = (Bits)values;
    const Bits rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
    const Bits quiet = (bits >> 16) | 0x40U;
    const Halves halves = __builtin_convertvector((Bits)(values == values ? (Ints)rounded : (Ints)quiet), Halves);
    __builtin_memcpy(to, &halves, sizeof halves);
}

inline Floats all(float value) { return value - Floats{}; }

// 2^x for x from -126 to 126, to 2e-7 relative: the nearest integer goes into the exponent, a polynomial does the rest.
inline Floats power_of_two(Floats x) {
    constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits.
    x = x < -126.0F ? all(-126.0F) : x;
    x = x > 126.0F ? all(126.0F) : x;
    const Floats shifted = x + kRound;
    const Floats rest = x - (shifted - kRound);
    Floats value = 1.5403530e-4F * rest + 1.3333558e-3F;
    value = value * rest + 9.6181291e-3F;
    value = value * rest + 5.5504109e-2F;
    value = value * rest + 2.4022651e-1F;
    value = value * rest + 6.9314718e-1F;
    value = value * rest + 1.0F;
    return (Floats)((Ints)value + ((Ints)shifted << 23));
}

// x / (1 + exp(-2 u)), which is 0.5 x (1 + tanh(u)) without its cancellation.
inline Floats gelu_tanh(Floats x) {
    constexpr float kTwiceLog2E = -2.0F * 1.44269504088896340736F;
    const Floats u = 0.79788456080286535588F * (x + 0.044715F * x * x * x);
    return x / (1.0F + power_of_two(kTwiceLog2E * u));
}

void gelu_tanh_values(std::uint16_t* values, std::int64_t count) {
    std::int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store(values + i, gelu_tanh(load(values + i)));
    if (i == count) return;
    std::uint16_t last[kLanes] = {};
    __builtin_memcpy(last, values + i, static_cast<unsigned long>(count - i) * sizeof *last);
    store(last, gelu_tanh(load(last)));
    __builtin_memcpy(values + i, last, static_cast<unsigned long>(count - i) * sizeof *last);
}

template <typename T>
void rotate_row(const T* input, T* output, const float* cos, const float* sin, std::int64_t size) {
    constexpr Ints kSwap = {1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14};
    constexpr Floats kSign = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
    for (std::int64_t i = 0; i < size; i += kLanes) {
        const Floats values = load(input + i);
        const Floats swapped = __builtin_shuffle(values, kSwap) * kSign;
        store(output + i, values * load(cos + i) + swapped * load(sin + i));
    }
}

template <typename T>
void rotate(const RotateHeads<T>& call, std::int64_t begin, std::int64_t end) {
    for (std::int64_t position = begin; position < end; ++position) {
        const std::int64_t batch = position / call.rows;
        const std::int64_t row = position % call.rows;
        const T* const input = call.input + batch * call.input_strides[0] + row * call.input_strides[2];
        T* const output = call.output + batch * call.output_strides[0] + row * call.output_strides[2];
        const std::int64_t angle = (row - call.first_row) * call.head_size;
        for (std::int64_t head = 0; head < call.heads; ++head) {
            const T* const from = input + head * call.input_strides[1];
            T* const to = output + head * call.output_strides[1];
            if (row < call.first_row) {
                __builtin_memcpy(to, from, static_cast<unsigned long>(call.head_size) * sizeof(T));
            } else {
                rotate_row(from, to, call.cos + angle, call.sin + angle, call.head_size);
            }
        }
    }
}

inline float sum_of(Floats values) {
    float sum = 0;
    for (int i = 0; i < kLanes; ++i) sum += values[i];
    return sum;
}

// input + gate * branch, also into `residual`; returns the mean. What the norm sees is what was stored.
inline float gather_row(const ModulateRows& call, std::int64_t row, float* values) {
    const std::uint16_t* const input = call.input + row * call.input_stride;
    Floats sum{};
    for (std::int64_t i = 0; i < call.width; i += kLanes) {
        Floats value = load(input + i);
        if (call.branch != nullptr) {
            value = value + load(call.gate + i) * load(call.branch + row * call.branch_stride + i);
            std::uint16_t rounded[kLanes];
            store(rounded, value);
            value = load(rounded);
            if (call.residual != nullptr)
                __builtin_memcpy(call.residual + row * call.residual_stride + i, rounded, sizeof rounded);
        }
        store(values + i, value);
        sum = sum + value;
    }
    return sum_of(sum) / static_cast<float>(call.width);
}

void modulate_rows(const ModulateRows& call, std::int64_t begin, std::int64_t end) {
    float values[kWidestRow];
    for (std::int64_t row = begin; row < end; ++row) {
        const float mean = gather_row(call, row, values);
        if (call.output == nullptr) continue;
        Floats squares{};
        for (std::int64_t i = 0; i < call.width; i += kLanes) {
            const Floats centred = load(values + i) - mean;
            squares = squares + centred * centred;
        }
        const float variance = sum_of(squares) / static_cast<float>(call.width);
        const float inverse = 1.0F / __builtin_sqrtf(variance + call.epsilon);
        std::uint16_t* const output = call.output + row * call.output_stride;
        for (std::int64_t i = 0; i < call.width; i += kLanes) {
            Floats value = (load(values + i) - mean) * inverse;
            if (call.weight != nullptr) value = value * load(call.weight + i);
            if (call.bias != nullptr) value = value + load(call.bias + i);
            store(output + i, value * (1.0F + load(call.scale + i)) + load(call.shift + i));
        }
    }
}

}  // namespace

extern const RowKernels kRowKernels;
const RowKernels kRowKernels = {gelu_tanh_values, rotate<std::uint16_t>, rotate<float>, modulate_rows};
