#include "engine/kernels/cpu/flash_attention.h"

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "engine/kernels/cpu/flash_attention_avx512.h"

namespace mirror::kernels {

#if defined(MIRROR_AVX512_BF16)

namespace {

using avx512::kKeyGroup;
using avx512::kQueryBlock;

constexpr std::int64_t kPackedBytes = std::int64_t{16} << 20;  // Keys and values packed at a time: a few heads.
constexpr std::align_val_t kCacheLine{64};

struct FreeAligned {
    void operator()(std::uint16_t* memory) const { ::operator delete(memory, kCacheLine); }
};
using Buffer = std::unique_ptr<std::uint16_t, FreeAligned>;

Buffer allocate(std::int64_t elements) {
    const auto bytes = static_cast<std::size_t>(elements) * sizeof(std::uint16_t);
    return Buffer(static_cast<std::uint16_t*>(::operator new(bytes, kCacheLine)));
}

std::int64_t groups_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

template <typename T>
T* head_of(const HeadsView<T>& view, std::int64_t batch, std::int64_t head) {
    return view.data + batch * view.batch_stride + head * view.head_stride;
}

// What every key's score starts from, so that scaling the score adds the bias: [batch or 1][padded keys].
std::vector<float> score_starts(const FlashAttention& call, std::int64_t padded) {
    const bool per_batch = call.key_bias != nullptr && call.key_bias_batch_stride != 0;
    std::vector<float> starts;
    for (std::int64_t batch = 0; batch < (per_batch ? call.batch : 1); ++batch) {
        for (std::int64_t key = 0; key < padded; ++key) {
            float start = key < call.key_rows ? 0.0F : avx512::kHidden;
            if (call.key_bias != nullptr && key < call.key_rows)
                start = std::max(call.key_bias[batch * call.key_bias_batch_stride + key] / call.scale, avx512::kHidden);
            starts.push_back(start);
        }
    }
    return starts;
}

// The heads of one call, packed and attended a few at a time.
class Attention {
public:
    explicit Attention(const FlashAttention& call)
        : call_(call),
          key_groups_(groups_of(call.key_rows, kKeyGroup)),
          group_elements_(kKeyGroup * call.head_size),
          head_elements_(2 * key_groups_ * group_elements_),
          heads_at_a_time_(std::clamp<std::int64_t>(kPackedBytes / (2 * head_elements_), 1, call.batch * call.heads)),
          starts_(score_starts(call, key_groups_ * kKeyGroup)),
          packed_(allocate(heads_at_a_time_ * head_elements_)) {}

    void run(const ParallelFor& parallel_for) const {
        const std::int64_t all = call_.batch * call_.heads;
        const std::int64_t blocks = groups_of(call_.query_rows, kQueryBlock);
        for (std::int64_t first = 0; first < all; first += heads_at_a_time_) {
            const std::int64_t heads = std::min(heads_at_a_time_, all - first);
            parallel_for(heads * key_groups_, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) pack(first, i / key_groups_, i % key_groups_);
            });
            parallel_for(heads * blocks, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) attend(first, i / blocks, i % blocks);
            });
        }
    }

private:
    std::uint16_t* packed_keys(std::int64_t slot) const { return packed_.get() + slot * head_elements_; }
    std::uint16_t* packed_values(std::int64_t slot) const { return packed_keys(slot) + head_elements_ / 2; }

    void pack(std::int64_t first, std::int64_t slot, std::int64_t group) const {
        const std::int64_t batch = (first + slot) / call_.heads;
        const std::int64_t head = (first + slot) % call_.heads;
        const std::int64_t row = group * kKeyGroup;
        const std::int64_t rows = std::min(kKeyGroup, call_.key_rows - row);
        avx512::pack_key_group(head_of(call_.key, batch, head) + row * call_.key.row_stride, call_.key.row_stride, rows,
                               call_.head_size, packed_keys(slot) + group * group_elements_);
        avx512::pack_value_group(head_of(call_.value, batch, head) + row * call_.value.row_stride,
                                 call_.value.row_stride, rows, call_.head_size,
                                 packed_values(slot) + group * group_elements_);
    }

    void attend(std::int64_t first, std::int64_t slot, std::int64_t index) const {
        const std::int64_t batch = (first + slot) / call_.heads;
        const std::int64_t head = (first + slot) % call_.heads;
        const std::int64_t row = index * kQueryBlock;
        const bool starts_per_batch = call_.key_bias != nullptr && call_.key_bias_batch_stride != 0;
        avx512::QueryBlock block;
        block.query = head_of(call_.query, batch, head) + row * call_.query.row_stride;
        block.query_stride = call_.query.row_stride;
        block.output = head_of(call_.output, batch, head) + row * call_.output.row_stride;
        block.output_stride = call_.output.row_stride;
        block.queries = std::min(kQueryBlock, call_.query_rows - row);
        block.head_size = call_.head_size;
        block.keys = packed_keys(slot);
        block.values = packed_values(slot);
        block.padded_keys = key_groups_ * kKeyGroup;
        block.score_start = starts_.data() + (starts_per_batch ? batch * block.padded_keys : 0);
        block.start_everywhere = call_.key_bias != nullptr;
        block.scale = call_.scale;
        avx512::attend_block(block);
    }

    const FlashAttention& call_;
    std::int64_t key_groups_;
    std::int64_t group_elements_;  // Of packed keys; as many of packed values.
    std::int64_t head_elements_;   // Of both.
    std::int64_t heads_at_a_time_;
    std::vector<float> starts_;
    Buffer packed_;
};

}  // namespace

bool has_flash_attention_bf16(std::int64_t head_size) {
    static const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                                  __builtin_cpu_supports("avx512bf16");
    return supported && head_size > 0 && head_size % 16 == 0 && head_size <= avx512::kLargestHead;
}

void flash_attention_bf16(const FlashAttention& call, const ParallelFor& parallel_for) {
    if (call.batch * call.heads * call.query_rows * call.key_rows == 0) return;
    Attention(call).run(parallel_for);
}

#else

bool has_flash_attention_bf16(std::int64_t) { return false; }

void flash_attention_bf16(const FlashAttention&, const ParallelFor&) {}

#endif

}  // namespace mirror::kernels
