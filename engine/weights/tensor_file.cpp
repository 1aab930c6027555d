#include "engine/weights/tensor_file.h"

#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/weights/mapped_file.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine {

TensorFile load_tensor_file(const std::filesystem::path& file) {
    auto bytes =
        std::make_shared<std::string>(value_or_throw(read_whole_file(file, std::numeric_limits<std::int64_t>::max())));
    const auto all = std::as_bytes(std::span(bytes->data(), bytes->size()));
    auto header = value_or_throw(formats::parse_safetensors(all, file.native()));
    TensorFile result;
    for (const auto& entry : header.tensors) {
        const auto type = at::TensorOptions().dtype(scalar_type(entry.dtype));
        char* start = bytes->data() + header.data_begin + entry.begin;
        at::Tensor tensor = at::empty({0}, type);
        if (entry.bytes() == 0) {
            tensor = at::empty(entry.shape, type);
        } else {
            tensor = at::from_blob(
                start, entry.shape, [keep = bytes](void*) {}, type);
            if (reinterpret_cast<std::uintptr_t>(start) % formats::bytes_of(entry.dtype) != 0) tensor = tensor.clone();
        }
        result.tensors.emplace(entry.name, std::move(tensor));
    }
    result.metadata = std::move(header.metadata);
    return result;
}

TensorMap load_tensors(const std::filesystem::path& file) { return load_tensor_file(file).tensors; }

void save_tensors(const std::filesystem::path& file, const TensorMap& tensors, const formats::Metadata& metadata) {
    std::vector<formats::TensorEntry> entries;
    for (const auto& [name, tensor] : tensors)
        entries.push_back({name, dtype_of(tensor.scalar_type()), tensor.sizes().vec(), 0, 0});
    const auto plan = value_or_throw(formats::plan_safetensors(std::move(entries), metadata, file.native()));
    auto temporary = value_or_throw(TemporaryFile::create_beside(file));
    value_or_throw(temporary.write(plan.head));
    for (const auto& entry : plan.tensors) {
        const at::Tensor data = tensors.at(entry.name).detach().to(at::kCPU).contiguous();
        value_or_throw(
            temporary.write(std::string_view(static_cast<const char*>(data.const_data_ptr()), entry.bytes())));
    }
    value_or_throw(temporary.publish());
}

}  // namespace mirror::engine
