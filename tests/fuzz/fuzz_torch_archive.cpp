// A published .bin file: a ZIP archive around a pickle, and the pickle alone.

#include <span>

#include "engine/formats/pickle_reader.h"
#include "engine/formats/torch_archive.h"
#include "tests/fuzz/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mirror;
    const auto bytes = std::as_bytes(std::span(data, size));
    if (const auto tensors = formats::read_pickled_tensors(bytes, "data.pkl"); !tensors)
        fuzz::require_sentence(tensors.error().detail);
    const auto archive = formats::parse_torch_archive(bytes, formats::Checksums{}, "model.bin");
    if (!archive) fuzz::require_sentence(archive.error().detail);
    return 0;
}
