#pragma once

// SentencePiece's normalisation (google/sentencepiece, src/normalizer.cc): character rules out of a compiled table,
// white space rules, and for every byte of the result the bytes of the original it came from.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/text/prefix_index.h"
#include "engine/text/sentencepiece_model.h"

namespace mirror::engine {

struct ByteRange {
    std::size_t begin = 0;
    std::size_t end = 0;
};

struct NormalizedText {
    std::string text;
    std::vector<ByteRange> origin;  // One for each byte of text.
};

// The rules of a precompiled_charsmap: a Darts double array over UTF-8 and the replacements, each ended by a zero byte.
class CharacterRules {
public:
    struct Match {
        std::size_t consumed = 0;  // 0: no rule.
        std::string_view replacement;
    };

    // An empty charsmap has no rules.
    static Result<CharacterRules> parse(std::string charsmap, const std::string& origin);

    // The longest rule that `text` begins with. A table that points outside itself matches nothing.
    Match longest_match(std::string_view text) const;

private:
    std::vector<std::uint32_t> units_;
    std::string replacements_;
};

class TextNormalizer {
public:
    static Result<TextNormalizer> make(const SentencePieceModel& model, const std::string& origin);

    NormalizedText operator()(std::string_view text) const;

private:
    struct Step {
        std::string_view output;
        std::size_t consumed;
    };

    Step next(std::string_view rest) const;
    std::size_t skip_leading_space(std::string_view text) const;

    CharacterRules rules_;
    PrefixIndex user_defined_;  // Taken unchanged before any rule.
    bool add_dummy_prefix_ = true;
    bool remove_extra_whitespaces_ = true;
    std::string_view space_;  // What a space becomes.
};

// Length of the UTF-8 character `text` begins with, or 0 if it is malformed (overlong, surrogate, beyond U+10FFFF, cut
// off).
std::size_t utf8_character_length(std::string_view text);

}  // namespace mirror::engine
