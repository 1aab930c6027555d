// spiece.model, and text through what is accepted: the first byte says how long the text is, the text follows, then the
// file.

#include "engine/text/sentencepiece_model.h"
#include "engine/text/tokenizer.h"
#include "tests/fuzz/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mirror;
    if (size < 1) return 0;
    const std::size_t length = std::min<std::size_t>(data[0], size - 1);
    const std::string_view text = fuzz::text_of(data + 1, length);
    const std::string_view bytes = fuzz::text_of(data + 1 + length, size - 1 - length);
    const auto model = engine::parse_sentencepiece_model(bytes, "spiece.model");
    if (!model) {
        fuzz::require_sentence(model.error().detail);
        return 0;
    }
    const auto again = engine::parse_sentencepiece_model(engine::write_sentencepiece_model(model.value()), "again");
    fuzz::require(again.ok() && again.value().pieces.size() == model.value().pieces.size());
    const auto tokenizer = engine::Tokenizer::parse(bytes, "spiece.model", 0);
    if (!tokenizer) {
        fuzz::require_sentence(tokenizer.error().detail);
        return 0;
    }
    const auto ids = tokenizer.value().encode(text, 16);
    fuzz::require(!ids.ok() || ids.value().size() == 16);
    const auto pieces = tokenizer.value().tokenize(text);
    if (!pieces) return 0;
    for (const engine::Piece& piece : pieces.value())
        fuzz::require(piece.begin <= piece.end && piece.end <= text.size());
    return 0;
}
