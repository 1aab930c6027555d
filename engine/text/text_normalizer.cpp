#include "engine/text/text_normalizer.h"

namespace mirror::engine {

namespace {

constexpr std::string_view kEscapedSpace = "\xE2\x96\x81";          // U+2581
constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::size_t kMaxRulesAtOnePlace = 32;                     // SentencePiece looks at no more.

// One unit of the double array (s-yata/darts-clone).
struct Unit {
    std::uint32_t bits;

    bool has_leaf() const { return (bits >> 8 & 1) != 0; }
    std::uint32_t value() const { return bits & 0x7fffffffu; }
    std::uint32_t label() const { return bits & 0x800000ffu; }
    std::uint32_t offset() const { return (bits >> 10) << ((bits & 0x200u) >> 6); }
};

std::uint32_t little_endian_32(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    return value;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::size_t utf8_character_length(std::string_view text) {
    if (text.empty()) return 0;
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
    return length;
}

Result<CharacterRules> CharacterRules::parse(std::string charsmap, const std::string& origin) {
    CharacterRules rules;
    if (charsmap.empty()) return rules;
    const Error damaged{
        ErrorCode::MalformedFile,
        "The tokenizer file " + origin + " has a damaged table of character rules (precompiled_charsmap)."};
    if (charsmap.size() <= 4) return damaged;
    const std::size_t trie_bytes = little_endian_32(charsmap, 0);
    if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > charsmap.size() - 4) return damaged;
    for (std::size_t at = 4; at < 4 + trie_bytes; at += 4) rules.units_.push_back(little_endian_32(charsmap, at));
    rules.replacements_ = charsmap.substr(4 + trie_bytes);
    if (rules.replacements_.empty() || rules.replacements_.back() != '\0') return damaged;
    return rules;
}

CharacterRules::Match CharacterRules::longest_match(std::string_view text) const {
    Match best;
    if (units_.empty()) return best;
    std::size_t node = Unit{units_[0]}.offset();
    std::size_t found = 0;
    for (std::size_t i = 0; i < text.size() && found < kMaxRulesAtOnePlace; ++i) {
        const std::uint32_t byte = static_cast<unsigned char>(text[i]);
        node ^= byte;
        if (node >= units_.size()) return best;
        const Unit unit{units_[node]};
        if (unit.label() != byte) return best;
        node ^= unit.offset();
        if (!unit.has_leaf()) continue;
        if (node >= units_.size()) return best;
        const std::size_t at = Unit{units_[node]}.value();
        if (at >= replacements_.size()) return best;
        best = {i + 1, std::string_view(replacements_.c_str() + at)};  // Ends at the zero byte; the last byte is one.
        ++found;
    }
    return best;
}

Result<TextNormalizer> TextNormalizer::make(const SentencePieceModel& model, const std::string& origin) {
    auto rules = CharacterRules::parse(model.precompiled_charsmap, origin);
    if (!rules) return rules.error();
    TextNormalizer normalizer;
    normalizer.rules_ = std::move(rules).value();
    normalizer.add_dummy_prefix_ = model.add_dummy_prefix;
    normalizer.remove_extra_whitespaces_ = model.remove_extra_whitespaces;
    normalizer.space_ = model.escape_whitespaces ? kEscapedSpace : std::string_view(" ");
    std::vector<std::string> user_defined;
    for (const auto& piece : model.pieces) {
        if (piece.type == PieceType::UserDefined) user_defined.push_back(piece.text);
    }
    normalizer.user_defined_ = PrefixIndex(std::move(user_defined));
    return normalizer;
}

TextNormalizer::Step TextNormalizer::next(std::string_view rest) const {
    std::size_t symbol = 0;
    user_defined_.walk(rest, [&](std::size_t, std::size_t length) { symbol = length; });
    if (symbol > 0) return {rest.substr(0, symbol), symbol};
    const auto match = rules_.longest_match(rest);
    if (match.consumed > 0) return {match.replacement, match.consumed};
    const std::size_t length = utf8_character_length(rest);
    if (length == 0) return {kReplacementCharacter, 1};
    return {rest.substr(0, length), length};
}

std::size_t TextNormalizer::skip_leading_space(std::string_view text) const {
    std::size_t at = 0;
    while (at < text.size()) {
        const Step step = next(text.substr(at));
        if (step.output != " ") break;
        at += step.consumed;
    }
    return at;
}

NormalizedText TextNormalizer::operator()(std::string_view text) const {
    NormalizedText out;
    const auto append = [&out](std::string_view bytes, ByteRange range) {
        out.text.append(bytes);
        out.origin.insert(out.origin.end(), bytes.size(), range);
    };
    std::size_t at = remove_extra_whitespaces_ ? skip_leading_space(text) : 0;
    if (at == text.size()) return out;
    if (add_dummy_prefix_) append(space_, {at, at});

    bool after_space = remove_extra_whitespaces_;
    while (at < text.size()) {
        Step step = next(text.substr(at));
        const ByteRange range{at, at + step.consumed};
        at += step.consumed;
        while (after_space && step.output.starts_with(' ')) step.output.remove_prefix(1);
        for (const char& c : step.output) append(c == ' ' ? space_ : std::string_view(&c, 1), range);
        if (step.output.empty() && out.text.ends_with(space_)) {  // One more of a run of spaces that became one.
            for (std::size_t i = out.origin.size() - space_.size(); i < out.origin.size(); ++i)
                out.origin[i].end = range.end;
        }
        if (!step.output.empty()) after_space = remove_extra_whitespaces_ && step.output.ends_with(' ');
    }
    while (remove_extra_whitespaces_ && out.text.ends_with(space_)) {
        out.text.resize(out.text.size() - space_.size());
        out.origin.resize(out.text.size());
    }
    return out;
}

}  // namespace mirror::engine
