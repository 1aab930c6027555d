// A whole safetensors file. What is accepted covers its data exactly, and its header can be written and read again.

#include <span>

#include "engine/formats/safetensors.h"
#include "tests/fuzz/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mirror;
    const auto header = formats::parse_safetensors(std::as_bytes(std::span(data, size)), "file");
    if (!header) {
        fuzz::require_sentence(header.error().detail);
        return 0;
    }
    std::uint64_t covered = 0;
    for (const auto& tensor : header.value().tensors) {
        const auto count = formats::element_count(tensor.shape);
        fuzz::require(count.has_value() && *count * formats::bytes_of(tensor.dtype) == tensor.bytes());
        covered += tensor.bytes();
    }
    fuzz::require(covered == header.value().data_bytes && header.value().data_begin + covered == size);
    const auto plan = formats::plan_safetensors(header.value().tensors, header.value().metadata, "copy");
    fuzz::require(plan.ok());
    std::string copy = plan.value().head;
    copy.resize(plan.value().file_bytes);
    const auto again = formats::parse_safetensors(std::as_bytes(std::span(copy)), "copy");
    fuzz::require(again.ok() && again.value().tensors.size() == header.value().tensors.size());
    return 0;
}
