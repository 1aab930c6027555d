// config.json and every typed question about it.

#include "engine/core/result.h"
#include "engine/weights/config_reader.h"
#include "tests/fuzz/fuzz_bytes.h"

namespace {

template <typename Question>
void ask(Question question) {
    try {
        question();
    } catch (const mirror::EngineError& error) {
        mirror::fuzz::require_sentence(error.what());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using mirror::engine::ConfigReader;
    ask([&] {
        const ConfigReader reader = ConfigReader::parse(std::string(mirror::fuzz::text_of(data, size)), "config.json");
        for (const char* key : {"a", "num_layers", "norm_eps"}) {
            ask([&] { reader.integer(key, 1, 1000); });
            ask([&] { reader.number(key, 0, 1); });
            ask([&] { reader.boolean(key); });
            ask([&] { reader.text(key); });
            ask([&] { reader.integers(key, 1, 8); });
            ask([&] { reader.object(key).integer_or("b", 1, 1, 2); });
        }
    });
    return 0;
}
