#include "engine/session/random_tensor_file.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <span>
#include <string_view>

#include "engine/core/durable_replace.h"
#include "engine/formats/shard_index.h"
#include "engine/session/random_values.h"

namespace mirror::engine {
namespace {

namespace fs = std::filesystem;
using formats::DType;
using formats::TensorEntry;

constexpr std::uint64_t kPieceNumbers = std::uint64_t{1} << 22;  // 16 MiB of float32 at a time.
constexpr std::int64_t kGrain = 1 << 16;                         // Numbers that are worth a thread.

std::vector<TensorEntry> entries_of(const RandomComponent& component) {
    std::vector<TensorEntry> entries;
    for (const auto& tensor : component.tensors) {
        TensorEntry entry;
        entry.name = tensor.name;
        entry.dtype = component.dtype;
        entry.shape = tensor.shape;
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::uint64_t bytes_of_entry(const TensorEntry& entry) {
    return formats::element_count(entry.shape).value_or(0) * formats::bytes_of(entry.dtype);
}

// In the order in which the model reads them, as published checkpoints are cut.
std::vector<std::vector<TensorEntry>> shards_of(std::vector<TensorEntry> entries, std::uint64_t shard_bytes) {
    std::vector<std::vector<TensorEntry>> shards(1);
    std::uint64_t filled = 0;
    for (auto& entry : entries) {
        const std::uint64_t bytes = bytes_of_entry(entry);
        if (filled > 0 && filled + bytes > shard_bytes) {
            shards.emplace_back();
            filled = 0;
        }
        filled += bytes;
        shards.back().push_back(std::move(entry));
    }
    return shards;
}

// Numbers of a tensor as the file has them.
class Piece {
public:
    explicit Piece(DType dtype) : numbers_(kPieceNumbers), halves_(dtype == DType::BF16 ? kPieceNumbers : 0) {}

    std::string_view make(std::uint64_t key, std::uint64_t first, std::uint64_t count, const ValueRule& rule) {
        at::parallel_for(0, static_cast<std::int64_t>(count), kGrain, [&](std::int64_t begin, std::int64_t end) {
            const auto from = static_cast<std::size_t>(begin);
            const auto numbers = std::span(numbers_).subspan(from, static_cast<std::size_t>(end - begin));
            fill_random(numbers, key, first + from, rule);
            if (!halves_.empty()) std::copy(numbers.begin(), numbers.end(), halves_.begin() + begin);
        });
        if (halves_.empty()) return {reinterpret_cast<const char*>(numbers_.data()), count * sizeof(float)};
        return {reinterpret_cast<const char*>(halves_.data()), count * sizeof(at::BFloat16)};
    }

private:
    std::vector<float> numbers_;
    std::vector<at::BFloat16> halves_;
};

void write_file(const fs::path& file, std::vector<TensorEntry> entries, const RandomComponent& component,
                std::uint64_t seed, ByteMeter& meter) {
    const auto plan = value_or_throw(formats::plan_safetensors(std::move(entries), component.metadata, file.native()));
    auto temporary = value_or_throw(TemporaryFile::create_beside(file));
    value_or_throw(temporary.write(plan.head));
    Piece piece(component.dtype);
    for (const auto& entry : plan.tensors) {
        const ValueRule rule = value_rule(component.folder, entry.name, entry.shape);
        const std::uint64_t key = tensor_key(seed, component.folder, entry.name);
        const std::uint64_t count = formats::element_count(entry.shape).value_or(0);
        for (std::uint64_t first = 0; first < count; first += kPieceNumbers) {
            const auto bytes = piece.make(key, first, std::min(kPieceNumbers, count - first), rule);
            value_or_throw(temporary.write(bytes));
            meter.add(bytes.size());
        }
    }
    value_or_throw(temporary.publish());
}

std::string shard_name(const std::string& stem, std::size_t number, std::size_t count) {
    std::array<char, 32> numbers{};
    std::snprintf(numbers.data(), numbers.size(), "-%05zu-of-%05zu", number, count);
    return stem + numbers.data() + ".safetensors";
}

}  // namespace

std::uint64_t RandomComponent::bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& entry : entries_of(*this)) bytes += bytes_of_entry(entry);
    return bytes;
}

void ByteMeter::add(std::uint64_t bytes) {
    if (watch_.stop.stop_requested())
        throw EngineError(ErrorCode::Cancelled, "Stopped; the unfinished checkpoint was removed.");
    done_ += bytes;
    if (watch_.progress && total_ > 0) watch_.progress(static_cast<double>(done_) / static_cast<double>(total_));
}

void write_random_component(const fs::path& model, const RandomComponent& component, std::uint64_t seed,
                            std::uint64_t shard_bytes, ByteMeter& meter) {
    const fs::path folder = model / component.folder;
    auto shards = shards_of(entries_of(component), shard_bytes);
    if (shards.size() == 1) {
        write_file(folder / (component.stem + ".safetensors"), std::move(shards.front()), component, seed, meter);
        return;
    }
    std::map<std::string, std::string> file_of;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const std::string name = shard_name(component.stem, i + 1, shards.size());
        for (const auto& entry : shards[i]) file_of[entry.name] = name;
        write_file(folder / name, std::move(shards[i]), component, seed, meter);
    }
    const std::string index = formats::shard_index_json(file_of, component.bytes());
    value_or_throw(durable_replace(folder / (component.stem + ".safetensors.index.json"), index));
}

}  // namespace mirror::engine
