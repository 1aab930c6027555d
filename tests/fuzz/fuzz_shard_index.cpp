// The index of a checkpoint in several files. Accepted names are plain file names.

#include "engine/formats/shard_index.h"
#include "tests/fuzz/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mirror;
    const auto index = formats::parse_shard_index(fuzz::text_of(data, size), "index");
    if (!index) {
        fuzz::require_sentence(index.error().detail);
        return 0;
    }
    for (const std::string& file : index.value().files)
        fuzz::require(!file.empty() && file.find('/') == std::string::npos && file.front() != '.');
    const auto again = formats::parse_shard_index(formats::shard_index_json(index.value().file_of, 0), "again");
    fuzz::require(again.ok() && again.value().file_of == index.value().file_of);
    return 0;
}
