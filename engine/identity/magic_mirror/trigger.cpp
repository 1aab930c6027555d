#include "engine/identity/magic_mirror/trigger.h"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/core/utf8.h"
#include "engine/identity/magic_mirror/joined.h"
#include "engine/identity/magic_mirror/word_characters.h"
#include "engine/text/tokenizer.h"

namespace mirror::engine::magic_mirror {

namespace {

constexpr std::array<std::string_view, 22> kClassWords{
    "man",   "woman",     "boy",    "girl",   "baby",   "person",  "child",     "kid",
    "lady",  "gentleman", "guy",    "male",   "female", "officer", "policeman", "policewoman",
    "actor", "actress",   "dancer", "doctor", "nurse",  "teacher"};

struct Character {
    char32_t value;
    std::size_t begin;
    std::size_t end;
};

Error invalid(std::initializer_list<std::string_view> parts) { return {ErrorCode::InvalidRequest, joined(parts)}; }

std::optional<std::vector<Character>> read_characters(std::string_view text) {
    std::vector<Character> characters;
    for (std::size_t at = 0; at < text.size();) {
        const auto character = character_at(text, at);
        if (!character) return std::nullopt;
        characters.push_back({character->value, at, at + character->bytes});
        at += character->bytes;
    }
    return characters;
}

std::size_t index_of_byte(const std::vector<Character>& characters, std::size_t byte) {
    const auto found = std::lower_bound(characters.begin(), characters.end(), byte,
                                        [](const Character& c, std::size_t at) { return c.begin < at; });
    return static_cast<std::size_t>(found - characters.begin());
}

// Byte positions of the trigger where neither neighbour is a word character.
std::vector<std::size_t> find_triggers(std::string_view text, const std::vector<Character>& characters,
                                       std::string_view trigger) {
    std::vector<std::size_t> found;
    std::size_t at = text.find(trigger);
    while (at != std::string_view::npos) {
        const std::size_t first = index_of_byte(characters, at);
        const std::size_t after = index_of_byte(characters, at + trigger.size());
        const bool joined_before = first > 0 && is_word_character(characters[first - 1].value);
        const bool joined_after = after < characters.size() && is_word_character(characters[after].value);
        const bool counts = !joined_before && !joined_after;
        if (counts) found.push_back(at);
        at = text.find(trigger, at + (counts ? trigger.size() : 1));
    }
    return found;
}

std::string lower_ascii(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

// The first run of letters that is in the list.
TriggerParse find_class_word(std::string_view prompt, const std::vector<Character>& characters,
                             std::span<const std::string_view> classes) {
    TriggerParse parse{std::string(prompt), 0, 0};
    for (std::size_t i = 0; i < characters.size(); ++i) {
        if (!is_letter(characters[i].value)) continue;
        const std::size_t begin = characters[i].begin;
        while (i + 1 < characters.size() && is_letter(characters[i + 1].value)) ++i;
        const std::size_t end = characters[i].end;
        const std::string word = lower_ascii(prompt.substr(begin, end - begin));
        if (std::find(classes.begin(), classes.end(), word) != classes.end()) {
            parse.class_begin = begin;
            parse.class_end = end;
            return parse;
        }
    }
    return parse;
}

// Takes the trigger at byte `at` out, with the white space directly before it.
Result<TriggerParse> clean(std::string_view prompt, const std::vector<Character>& characters, std::size_t at,
                           std::string_view trigger) {
    std::size_t space = index_of_byte(characters, at);
    while (space > 0 && is_white_space(characters[space - 1].value)) --space;
    std::size_t word = space;
    while (word > 0 && is_word_character(characters[word - 1].value)) --word;
    if (word == space) {
        return invalid({"the prompt has no class word (man, woman, ...) directly before the trigger ",
                        escape_for_message(trigger)});
    }
    const std::size_t end = characters[space - 1].end;
    TriggerParse parse;
    parse.cleaned = joined({prompt.substr(0, end), prompt.substr(at + trigger.size())});
    parse.class_begin = characters[word].begin;
    parse.class_end = end;
    return parse;
}

// The last piece that overlaps the class word.
std::optional<std::size_t> class_piece(const std::vector<Piece>& pieces, const TriggerParse& parse) {
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (pieces[i].begin < parse.class_end && pieces[i].end > parse.class_begin) last = i;
    }
    return last;
}

at::Tensor as_row(const std::vector<std::int64_t>& values) {
    const at::Tensor row = at::empty({1, static_cast<std::int64_t>(values.size())}, at::kLong);
    std::copy(values.begin(), values.end(), row.data_ptr<std::int64_t>());
    return row;
}

// Writes ids and mask of the expanded prompt; false if the copies do not fit.
bool expand(std::vector<std::int64_t>& ids, std::vector<std::int64_t>& mask, std::size_t piece, std::int64_t copies,
            std::int64_t max_length) {
    const auto position = static_cast<std::int64_t>(piece);
    if (position + copies > max_length - 1) return false;
    const std::int64_t id = ids[piece];
    ids.insert(ids.begin() + position, static_cast<std::size_t>(copies - 1), id);
    std::fill_n(mask.begin() + position, copies, 1);
    return true;
}

}  // namespace

std::span<const std::string_view> class_words() { return kClassWords; }

Result<TriggerParse> parse_trigger(std::string_view prompt, std::string_view trigger,
                                   std::span<const std::string_view> classes) {
    const auto characters = read_characters(prompt);
    if (!characters) return invalid({"the prompt is not UTF-8"});
    if (trigger.empty() || !read_characters(trigger)) return invalid({"the trigger word is empty or not UTF-8"});
    const auto triggers = find_triggers(prompt, *characters, trigger);
    if (triggers.size() > 1) {
        return invalid({"the prompt has the trigger ", escape_for_message(trigger), " ",
                        std::to_string(triggers.size()), " times but there is one person: keep it once"});
    }
    if (triggers.empty()) return find_class_word(prompt, *characters, classes);
    return clean(prompt, *characters, triggers.front(), trigger);
}

IdentityPrompt tokenize_identity_prompt(const Tokenizer& tokenizer, std::string_view prompt, std::string_view trigger,
                                        std::int64_t copies, std::int64_t max_length) {
    const TriggerParse parse = value_or_throw(parse_trigger(prompt, trigger));
    const std::vector<Piece> pieces = value_or_throw(tokenizer.tokenize(parse.cleaned));
    std::vector<std::int64_t> plain;
    for (const Piece& piece : pieces) plain.push_back(piece.id);

    IdentityPrompt result;
    result.cleaned = parse.cleaned;
    std::vector<std::int64_t> ids = plain;
    std::vector<std::int64_t> mask(static_cast<std::size_t>(max_length), 0);
    const auto piece = parse.has_class_word() ? class_piece(pieces, parse) : std::nullopt;
    if (!piece) {
        result.warnings.push_back(
            joined({"the prompt names nobody, neither by the trigger ", escape_for_message(trigger),
                    " nor by a class word, so the identity does not enter the text"}));
    } else if (!expand(ids, mask, *piece, copies, max_length)) {
        result.warnings.push_back(
            joined({"the ", std::to_string(copies), " copies of the class word do not fit into ",
                    std::to_string(max_length), " tokens, so the identity does not enter the text"}));
    }
    if (static_cast<std::int64_t>(ids.size()) > max_length - 1 && result.warnings.empty()) {
        result.warnings.push_back(joined({"the prompt is cut to ", std::to_string(max_length), " tokens"}));
    }
    result.input_ids = as_row(tokenizer.finish(std::move(ids), max_length));
    result.identity_mask = as_row(mask);
    result.plain_input_ids = as_row(tokenizer.finish(std::move(plain), max_length));
    return result;
}

}  // namespace mirror::engine::magic_mirror
