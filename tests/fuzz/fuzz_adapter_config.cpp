// The config in an adapter's metadata, and one `--set NAME=VALUE`.

#include "engine/identity/magic_mirror/adapter_config.h"
#include "tests/fuzz/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mirror;
    const std::string text(fuzz::text_of(data, size));
    if (const auto config = engine::magic_mirror::parse_adapter_config(text); !config)
        fuzz::require_sentence(config.error().detail);
    if (const auto changed = engine::magic_mirror::parse_override(text); !changed)
        fuzz::require_sentence(changed.error().detail);
    return 0;
}
