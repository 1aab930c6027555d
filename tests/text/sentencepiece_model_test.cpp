// Vocabulary files that are damaged, or made to do damage: each is refused with a sentence, none crashes.

#include "engine/text/sentencepiece_model.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "engine/text/builtin_vocabularies.h"
#include "engine/text/protobuf_wire.h"
#include "engine/text/tokenizer.h"

namespace mirror::engine {
namespace {

SentencePieceModel small_model() {
    SentencePieceModel model;
    model.pieces = {{"<pad>", 0.0f, PieceType::Control}, {"</s>", 0.0f, PieceType::Control},
                    {"<unk>", 0.0f, PieceType::Unknown}, {"\xE2\x96\x81", -2.0f, PieceType::Normal},
                    {"a", -1.0f, PieceType::Normal},     {"b", -1.5f, PieceType::Normal}};
    return model;
}

std::string refusal(const SentencePieceModel& model, std::int64_t rows = 0) {
    const auto tokenizer = Tokenizer::parse(write_sentencepiece_model(model), "odd.model", rows);
    if (tokenizer.ok()) return "";
    EXPECT_EQ(tokenizer.error().code, ErrorCode::MalformedFile);
    EXPECT_NE(tokenizer.error().detail.find("odd.model"), std::string::npos);
    return tokenizer.error().detail;
}

TEST(SentencePieceModel, ReadsBackWhatItWrites) {
    const auto model = value_or_throw(parse_sentencepiece_model(demo_vocabulary(), "demo"));
    EXPECT_EQ(model.pieces.size(), 4096u);
    EXPECT_EQ(model.normalizer_name, "nmt_nfkc");
    const auto again = value_or_throw(parse_sentencepiece_model(write_sentencepiece_model(model), "again"));
    ASSERT_EQ(again.pieces.size(), model.pieces.size());
    EXPECT_EQ(again.precompiled_charsmap, model.precompiled_charsmap);
    for (std::size_t i = 0; i < model.pieces.size(); ++i) {
        EXPECT_EQ(again.pieces[i].text, model.pieces[i].text);
        EXPECT_EQ(again.pieces[i].score, model.pieces[i].score);
        EXPECT_EQ(again.pieces[i].type, model.pieces[i].type);
    }
}

TEST(SentencePieceModel, RefusesImpossibleVocabularies) {
    EXPECT_EQ(refusal(small_model()), "");
    SentencePieceModel model = small_model();
    model.pieces.clear();
    EXPECT_NE(refusal(model).find("no pieces"), std::string::npos);
    EXPECT_NE(Tokenizer::parse("", "empty", 0).error().detail.find("no pieces"), std::string::npos);
    model = small_model();
    model.pieces[4].score = std::numeric_limits<float>::quiet_NaN();
    EXPECT_NE(refusal(model).find("finite"), std::string::npos);
    model.pieces[4].score = std::numeric_limits<float>::infinity();
    EXPECT_NE(refusal(model).find("finite"), std::string::npos);
    model = small_model();
    model.pieces[4].text.clear();
    EXPECT_NE(refusal(model).find("empty piece"), std::string::npos);
    model = small_model();
    model.pieces[4].text = "b";
    EXPECT_NE(refusal(model).find("twice"), std::string::npos);
    model = small_model();
    model.pieces[2].type = PieceType::Normal;
    EXPECT_NE(refusal(model).find("unknown piece"), std::string::npos);
    model = small_model();
    model.pieces[4].type = static_cast<PieceType>(9);
    EXPECT_NE(refusal(model).find("unknown type"), std::string::npos);
    model = small_model();
    model.pieces[1].text = "<end>";
    EXPECT_NE(refusal(model).find("</s>"), std::string::npos);
    model = small_model();
    model.byte_fallback = true;
    EXPECT_NE(refusal(model).find("byte"), std::string::npos);
    EXPECT_NE(refusal(small_model(), 5).find("5 rows"), std::string::npos);
}

TEST(SentencePieceModel, LimitsThePieceLength) {
    SentencePieceModel model = small_model();
    model.pieces[4].text.assign(kMaxPieceBytes, 'x');
    EXPECT_EQ(refusal(model), "");
    model.pieces[4].text.assign(kMaxPieceBytes + 1, 'x');
    EXPECT_NE(refusal(model).find("1 KiB"), std::string::npos);
}

TEST(SentencePieceModel, LimitsThePieceCount) {
    EXPECT_EQ(refusal(pad_vocabulary(small_model(), kMaxPieces)), "");
    EXPECT_NE(refusal(pad_vocabulary(small_model(), kMaxPieces + 1)).find("million"), std::string::npos);
}

TEST(SentencePieceModel, RefusesOtherModelKinds) {
    WireWriter trainer, model;
    trainer.varint(3, 2);  // Byte pair encoding.
    model.bytes(2, trainer.take());
    EXPECT_NE(Tokenizer::parse(model.take(), "bpe", 0).error().detail.find("unigram"), std::string::npos);
}

TEST(SentencePieceModel, RefusesEveryTruncation) {
    // Cutting at the end of a top-level field leaves a smaller, well-formed file; everywhere else it is damage. Neither
    // crashes.
    const std::string bytes = write_sentencepiece_model(small_model());
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        accepted += Tokenizer::parse(std::string_view(bytes).substr(0, size), "cut", 0).ok();
    EXPECT_LE(accepted, 5u);
    const std::string_view large = demo_vocabulary();
    EXPECT_FALSE(Tokenizer::parse(large.substr(0, large.size() - 1), "cut", 0).ok());
}

TEST(SentencePieceModel, RefusesLyingLengths) {
    for (const std::string_view bytes :
         {std::string_view("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),      // 2^64 - 1 bytes.
          std::string_view("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12),  // Too long a number.
          std::string_view("\x0a\x05"
                           "ab",
                           4),
          std::string_view("\x0b", 1), std::string_view("\x0d\x01", 2), std::string_view("\x00", 1),
          std::string_view("\x0a", 1), std::string_view("PK\x03\x04 not a model")}) {
        EXPECT_FALSE(Tokenizer::parse(bytes, "lie", 0).ok());
    }
}

std::string units(std::initializer_list<std::uint32_t> values) {
    std::string bytes;
    for (const std::uint32_t value : values) {
        for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift & 0xff));
    }
    return bytes;
}

std::string charsmap(const std::string& trie, const std::string& replacements) {
    return units({static_cast<std::uint32_t>(trie.size())}) + trie + replacements;
}

TEST(CharacterRules, RefusesBadSizes) {
    SentencePieceModel model = small_model();
    const std::string zero(1, '\0');
    for (const std::string& bad :
         {std::string("abc"), units({0}), units({0}) + zero, units({0xffffffff}) + "abcd", units({3}) + "abcd" + zero,
          units({8}) + "abcd", charsmap(units({0, 0}), ""), charsmap(units({0, 0}), "no end")}) {
        model.precompiled_charsmap = bad;
        EXPECT_NE(refusal(model).find("precompiled_charsmap"), std::string::npos);
    }
    model.precompiled_charsmap = charsmap(units({0, 0}), zero);
    EXPECT_EQ(refusal(model), "");
}

// Units that point back at themselves, outside the table, or at replacements that are not there.
TEST(CharacterRules, SurvivesTablesThatPointAnywhere) {
    std::mt19937 random(5);
    const std::string text = "ab ba \xC3\xA9\xE6\x97\xA5 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (int round = 0; round < 2000; ++round) {
        std::string trie;
        for (int i = 0; i < 256; ++i) {
            std::uint32_t unit = random();
            // Most units get the label of their place and a leaf, so that walks go far.
            if (round % 2 == 0) unit = (unit & 0x00000c00u) | 0x100u | static_cast<std::uint32_t>(i);
            trie += units({unit});
        }
        SentencePieceModel model = small_model();
        model.precompiled_charsmap = charsmap(trie, std::string("x\0yz\0", 5));
        const auto tokenizer = Tokenizer::parse(write_sentencepiece_model(model), "random", 0);
        ASSERT_TRUE(tokenizer.ok());
        EXPECT_TRUE(tokenizer.value().encode(text, 16).ok());
    }
}

TEST(SentencePieceModel, SurvivesFlippedBytes) {
    std::mt19937 random(6);
    const std::string bytes =
        write_sentencepiece_model(value_or_throw(parse_sentencepiece_model(tiny_vocabulary(), "tiny")));
    for (int round = 0; round < 2000; ++round) {
        std::string changed = bytes;
        for (int i = 0; i < 4; ++i) changed[random() % changed.size()] = static_cast<char>(random());
        const auto tokenizer = Tokenizer::parse(changed, "flipped", 0);
        EXPECT_TRUE(!tokenizer.ok() || tokenizer.value().encode("A man img, caf\xC3\xA9 \xE6\x97\xA5", 32).ok());
    }
}

// Pieces of half a character, and pieces that only differ behind the end of the text.
TEST(SentencePieceModel, SurvivesPiecesThatAreNotText) {
    SentencePieceModel model = small_model();
    model.pieces.push_back({"\xE6", -0.1f, PieceType::Normal});
    model.pieces.push_back({"\xE6\x97", -0.1f, PieceType::UserDefined});
    model.pieces.push_back({std::string("a\0b", 3), -0.1f, PieceType::Normal});
    model.pieces.push_back({"\x97\xA5", 1e38f, PieceType::Normal});
    model.pieces.push_back({"\xA5", 3e38f, PieceType::Normal});
    const auto tokenizer = value_or_throw(Tokenizer::parse(write_sentencepiece_model(model), "halves", 0));
    for (const std::string_view text :
         {"\xE6\x97\xA5", "\xE6\x97", "a", "\xA5\xA5\xA5\xA5\xA5", "\xE6\x97\xA5\xE6\x97\xA5"}) {
        EXPECT_TRUE(tokenizer.encode(text, 8).ok());
    }
}

TEST(TokenizerFile, NamesWhatIsMissing) {
    const auto missing = Tokenizer::open("/nonexistent/spiece.model");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::MissingFile);
    EXPECT_NE(missing.error().detail.find("/nonexistent/spiece.model"), std::string::npos);
    EXPECT_FALSE(Tokenizer::open("/").ok());
    EXPECT_TRUE(Tokenizer::open(MIRROR_SOURCE_DIR "/resources/tokenizers/demo.model", 4096).ok());
}

}  // namespace
}  // namespace mirror::engine
