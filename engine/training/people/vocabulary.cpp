#include "engine/training/people/vocabulary.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "engine/training/people/caption.h"

namespace mirror::people {

namespace {

constexpr std::string_view kSpace = "\u2581";
constexpr int kCountedCaptions = 4000;
constexpr std::size_t kFragments = 400;

// Log-probabilities in all but name. The steps between the kinds are so large that a whole word always wins against its
// parts, and a fragment against its letters. Ranks instead of logarithms of counts: the same numbers everywhere.
constexpr float kFrequentWord = -4, kRareWord = -8, kCommonWord = -9, kFragment = -12, kCharacter = -18;

using Counts = std::map<std::string, long, std::less<>>;

// The keys of `counts`, most frequent first, then in alphabetical order.
std::vector<std::string> by_frequency(const Counts& counts) {
    std::vector<std::pair<long, std::string>> order;
    for (const auto& [word, count] : counts) order.emplace_back(-count, word);
    std::sort(order.begin(), order.end());
    std::vector<std::string> words;
    for (auto& entry : order) words.push_back(std::move(entry.second));
    return words;
}

template <typename Visit>
void for_each_word(std::string_view text, const Visit& visit) {
    constexpr std::string_view kBetween = " ,.";
    std::size_t at = text.find_first_not_of(kBetween);
    while (at != std::string_view::npos) {
        const std::size_t end = std::min(text.find_first_of(kBetween, at), text.size());
        visit(text.substr(at, end - at));
        at = text.find_first_not_of(kBetween, end);
    }
}

Counts counted_captions() {
    Counts counts;
    for (const std::string& word : caption_words()) counts[word] = 1;
    for (int index = 0; index < kCountedCaptions; ++index) {
        const auto seed = static_cast<std::uint64_t>(index);
        const CaptionOptions options{seed, CaptionLength::Any, index % 2 == 0, index % 3 == 0};
        for_each_word(caption(random_scene(seed, Split::Train), options),
                      [&](std::string_view word) { ++counts[std::string(word)]; });
    }
    return counts;
}

// Pieces of two to four letters that occur in many words; longer ones are worth more.
std::vector<std::string> frequent_fragments(const std::set<std::string>& words) {
    Counts counts;
    for (const std::string& word : words) {
        for (std::size_t size = 2; size <= 4; ++size) {
            for (std::size_t at = 1; at + size <= word.size(); ++at) {
                const std::string part = word.substr(at, size);
                const bool is_letters =
                    std::all_of(part.begin(), part.end(), [](char c) { return c >= 'a' && c <= 'z'; });
                if (is_letters) counts[part] += static_cast<long>(size);
            }
        }
    }
    std::vector<std::string> fragments = by_frequency(counts);
    fragments.resize(std::min(fragments.size(), kFragments));
    return fragments;
}

void append_number(std::string& bytes, std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(number >> shift & 255);
}

// A Darts double array (Yata's darts-clone) of 26 keys of one byte. Unit 0 is the root; the unit of byte c lies at 256
// + c and its value at 512 + c, because positions are combined by exclusive or.
std::string lower_case_rules() {
    constexpr std::uint32_t kUnits = 768, kHasValue = 1u << 8, kValue = 1u << 31, kOffsetShift = 10;
    std::array<std::uint32_t, kUnits> units{};
    units[0] = 256u << kOffsetShift;
    std::string replacements;
    for (std::uint32_t letter = 'A'; letter <= 'Z'; ++letter) {
        units[256 + letter] = ((256 + letter) ^ (512 + letter)) << kOffsetShift | kHasValue | letter;
        units[512 + letter] = kValue | static_cast<std::uint32_t>(replacements.size());
        replacements += static_cast<char>(letter - 'A' + 'a');
        replacements += '\0';
    }
    std::string bytes;
    append_number(bytes, kUnits * 4);
    for (const std::uint32_t unit : units) append_number(bytes, unit);
    return bytes + replacements;
}

// Adds pieces that are not there yet.
class PieceList {
public:
    void add(std::string text, float score) {
        if (known_.insert(text).second) pieces_.push_back({std::move(text), score});
    }
    void add_word(std::string_view word, float score) { add(std::string(kSpace).append(word), score); }
    std::vector<CaptionPiece> take() { return std::move(pieces_); }

private:
    std::set<std::string> known_;
    std::vector<CaptionPiece> pieces_;
};

}  // namespace

CaptionVocabulary caption_vocabulary(std::span<const std::string> common_words) {
    PieceList pieces;
    pieces.add("<pad>", 0);
    pieces.add("</s>", 0);
    pieces.add("<unk>", 0);
    pieces.add(",", kFrequentWord);
    const std::vector<std::string> spoken = by_frequency(counted_captions());
    std::set<std::string> words(spoken.begin(), spoken.end());
    for (std::size_t rank = 0; rank < spoken.size(); ++rank) {
        const float share = static_cast<float>(rank) / static_cast<float>(spoken.size());
        pieces.add_word(spoken[rank], kFrequentWord + share * (kRareWord - kFrequentWord));
    }
    for (const std::string& word : common_words) {
        words.insert(word);
        pieces.add_word(word, kCommonWord);
    }
    for (const std::string& fragment : frequent_fragments(words)) pieces.add(fragment, kFragment);
    pieces.add(std::string(kSpace), kCharacter);
    for (char character = '!'; character <= '~'; ++character) {
        if (character >= 'A' && character <= 'Z') continue;
        pieces.add_word(std::string(1, character), kCharacter);
        pieces.add(std::string(1, character), kCharacter);
    }
    return {pieces.take(), lower_case_rules()};
}

}  // namespace mirror::people
