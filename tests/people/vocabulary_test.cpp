#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/text/tokenizer.h"
#include "engine/training/people/caption.h"
#include "tests/people/vocabulary_file.h"

namespace mirror::people {
namespace {

const std::string kFolder = std::string(MIRROR_SOURCE_DIR) + "/resources/tokenizers/";

engine::Tokenizer tokenizer() { return value_or_throw(engine::Tokenizer::open(kFolder + "people.model")); }

std::vector<std::int64_t> ids_of(const engine::Tokenizer& tokens, const std::string& text) {
    std::vector<std::int64_t> ids;
    for (const engine::Piece& piece : value_or_throw(tokens.tokenize(text))) ids.push_back(piece.id);
    return ids;
}

std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

TEST(CaptionVocabulary, TheFileIsWhatTheGrammarAndTheWordListMake) {
    EXPECT_EQ(bytes_of(kFolder + "people.model"),
              people_test::vocabulary_bytes(people_test::words_of(kFolder + "english_words.txt")))
        << "written by: mirror_people_vocabulary resources/tokenizers/english_words.txt "
           "resources/tokenizers/people.model";
}

TEST(CaptionVocabulary, HasTheSpecialTokensOfT5) {
    const engine::Tokenizer tokens = tokenizer();
    EXPECT_EQ(tokens.padding_id(), 0);
    EXPECT_EQ(tokens.end_id(), 1);
    EXPECT_EQ(tokens.unknown_id(), 2);
    EXPECT_EQ(value_or_throw(tokens.encode("a man img waving", 8)).back(), 0);
    EXPECT_GE(ids_of(tokens, "<extra_id_0>").front(), tokens.vocabulary_size());
}

TEST(CaptionVocabulary, EveryWordOfACaptionIsOnePiece) {
    const engine::Tokenizer tokens = tokenizer();
    for (const std::string& word : caption_words()) EXPECT_EQ(ids_of(tokens, word).size(), 1u) << word;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const std::string text = caption(random_scene(seed, Split::Train), {seed, CaptionLength::Any, true, true});
        const auto spaces = static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
        const auto commas = static_cast<std::size_t>(std::count(text.begin(), text.end(), ','));
        EXPECT_EQ(ids_of(tokens, text).size(), spaces + 1 + commas) << text;
    }
}

TEST(CaptionVocabulary, CapitalsMakeNoDifference) {
    const engine::Tokenizer tokens = tokenizer();
    EXPECT_EQ(ids_of(tokens, "A MAN img Waving On The Beach"), ids_of(tokens, "a man img waving on the beach"));
}

TEST(CaptionVocabulary, UnknownWordsFallApartIntoKnownPieces) {
    const engine::Tokenizer tokens = tokenizer();
    for (const char* text : {"Xylophonist", "zzyzx", "quokka-shaped 3.14%", "unbelievableness!?"}) {
        for (const std::int64_t id : ids_of(tokens, text)) EXPECT_NE(id, tokens.unknown_id()) << text;
    }
    // Other alphabets have no pieces; they must not break anything.
    EXPECT_FALSE(ids_of(tokens, "\u4f60\u597d \u00fcber").empty());
}

// sentencepiece_ids.txt: a line of text, a line of ids, written by make_sentencepiece_ids.py with Google's library.
TEST(CaptionVocabulary, IsReadAsSentencePieceReadsIt) {
    const engine::Tokenizer tokens = tokenizer();
    std::ifstream file(std::string(MIRROR_SOURCE_DIR) + "/tests/people/sentencepiece_ids.txt");
    int lines = 0;
    for (std::string text, numbers; std::getline(file, text) && std::getline(file, numbers); ++lines) {
        std::istringstream stream(numbers);
        std::vector<std::int64_t> expected;
        for (std::int64_t id; stream >> id;) expected.push_back(id);
        EXPECT_EQ(ids_of(tokens, text), expected) << text;
    }
    EXPECT_GE(lines, 40);
}

}  // namespace
}  // namespace mirror::people
