#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/identity/magic_mirror/trigger.h"
#include "engine/identity/magic_mirror/word_characters.h"
#include "engine/text/builtin_vocabularies.h"
#include "engine/text/tokenizer.h"

namespace mirror::engine::magic_mirror {
namespace {

struct Parsed {
    const char* prompt;
    const char* cleaned;
    const char* class_word;
};

std::string class_word_of(const TriggerParse& parse) {
    return parse.cleaned.substr(parse.class_begin, parse.class_end - parse.class_begin);
}

std::string refusal(const std::string& prompt, const std::string& trigger = "img") {
    const auto parse = parse_trigger(prompt, trigger);
    return parse.ok() ? "" : parse.error().detail;
}

const Tokenizer& bytes() {
    static const Tokenizer tokenizer = value_or_throw(Tokenizer::parse(tiny_vocabulary(), "tiny"));
    return tokenizer;
}

const Tokenizer& words() {
    static const Tokenizer tokenizer = value_or_throw(Tokenizer::parse(demo_vocabulary(), "demo"));
    return tokenizer;
}

std::vector<std::int64_t> values(const at::Tensor& row) {
    const at::Tensor flat = row.reshape({-1}).contiguous();
    return {flat.data_ptr<std::int64_t>(), flat.data_ptr<std::int64_t>() + flat.numel()};
}

std::vector<std::int64_t> marked(const IdentityPrompt& prompt) {
    return values(prompt.identity_mask.reshape({-1}).nonzero());
}

TEST(Trigger, ClassWordAndCleanedPrompt) {
    const Parsed cases[] = {
        {"A young woman img is smiling.", "A young woman is smiling.", "woman"},
        {"a man img, smiling", "a man, smiling", "man"},
        {"an elderly woman img.", "an elderly woman.", "woman"},
        {"a man \t img", "a man", "man"},
        {"a man img  x", "a man  x", "man"},
        {"a man\xC2\xA0img", "a man", "man"},
        {"img_x a man img", "img_x a man", "man"},
        {"a man img, imgs and timg", "a man, imgs and timg", "man"},
        {"a man img IMG", "a man IMG", "man"},
        {"ein Mädchen img lacht", "ein Mädchen lacht", "Mädchen"},
        {"女 img 笑", "女 笑", "女"},
        {"a snake_case9 img!", "a snake_case9!", "snake_case9"},
        // Without a trigger: the first word of the class list.
        {"A Woman and a man", "A Woman and a man", "Woman"},
        {"the woman's man", "the woman's man", "woman"},
        {"a man2", "a man2", "man"},
        {"a manly superman walks", "a manly superman walks", ""},
        {"a landscape", "a landscape", ""},
        {"", "", ""},
    };
    for (const Parsed& one : cases) {
        const TriggerParse parse = value_or_throw(parse_trigger(one.prompt, "img"));
        EXPECT_EQ(parse.cleaned, one.cleaned) << one.prompt;
        EXPECT_EQ(class_word_of(parse), one.class_word) << one.prompt;
    }
}

TEST(Trigger, RefusalsSayWhat) {
    EXPECT_NE(refusal("a man img and a woman img").find("2 times"), std::string::npos);
    EXPECT_NE(refusal("a man img img img").find("3 times"), std::string::npos);
    for (const char* prompt : {"img", " img a man", "a man, img", "a man. img", "- img", "a man (img)"}) {
        EXPECT_NE(refusal(prompt).find("img"), std::string::npos) << prompt;
    }
    EXPECT_FALSE(refusal("a man \xFF img").empty());
    EXPECT_FALSE(refusal("a man", "").empty());
}

TEST(Trigger, AnotherTriggerWordIsTakenLiterally) {
    EXPECT_EQ(value_or_throw(parse_trigger("a man <id> walks", "<id>")).cleaned, "a man walks");
    EXPECT_EQ(value_or_throw(parse_trigger("a man img walks", "ohwx")).cleaned, "a man img walks");
    EXPECT_EQ(value_or_throw(parse_trigger("a man ohwx person walks", "ohwx person")).cleaned, "a man walks");
}

TEST(IdentityPrompt, CopiesStandWhereTheClassWordEnds) {
    for (std::int64_t references : {1, 2, 3, 4, 12}) {
        const std::int64_t copies = 2 * references;
        const IdentityPrompt prompt = tokenize_identity_prompt(bytes(), "a man img is", "img", copies, 64);
        const auto plain = values(prompt.plain_input_ids);
        const auto ids = values(prompt.input_ids);
        EXPECT_TRUE(prompt.warnings.empty());
        ASSERT_EQ(ids.size(), 64u);
        ASSERT_EQ(static_cast<std::int64_t>(marked(prompt).size()), copies);
        const auto first = static_cast<std::size_t>(marked(prompt).front());
        for (std::size_t i = 0; i < first; ++i) EXPECT_EQ(ids[i], plain[i]);
        for (std::int64_t i = 0; i < copies; ++i)
            EXPECT_EQ(marked(prompt)[static_cast<std::size_t>(i)], static_cast<std::int64_t>(first) + i);
        for (std::size_t i = first; i < first + static_cast<std::size_t>(copies); ++i) EXPECT_EQ(ids[i], plain[first]);
        for (std::size_t i = first + 1; i + static_cast<std::size_t>(copies) - 1 < 64; ++i) {
            EXPECT_EQ(ids[i + static_cast<std::size_t>(copies) - 1], plain[i]) << i;
        }
    }
}

TEST(IdentityPrompt, AClassWordOfSeveralPiecesIsMarkedAtItsLast) {
    const std::string cleaned = "a policewoman runs";
    const auto pieces = value_or_throw(bytes().tokenize(cleaned));
    const IdentityPrompt prompt = tokenize_identity_prompt(bytes(), "a policewoman img runs", "img", 2, 64);
    const auto first = static_cast<std::size_t>(marked(prompt).front());
    EXPECT_EQ(prompt.cleaned, cleaned);
    EXPECT_EQ(pieces[first].text, "n");
    EXPECT_EQ(pieces[first].end, cleaned.find(" runs"));
}

TEST(IdentityPrompt, WorksOnAVocabularyOfWords) {
    const IdentityPrompt prompt = tokenize_identity_prompt(words(), "A young woman img is smiling.", "img", 4, 64);
    const auto pieces = value_or_throw(words().tokenize("A young woman is smiling."));
    const auto first = static_cast<std::size_t>(marked(prompt).front());
    EXPECT_EQ(pieces[first].end, std::string("A young woman").size());
    EXPECT_EQ(values(prompt.input_ids)[first + 3], pieces[first].id);
    EXPECT_EQ(values(prompt.input_ids)[first + 4], pieces[first + 1].id);
}

TEST(IdentityPrompt, CopiesFitUpToTheEndTokenAndNotBeyond) {
    const auto pieces = value_or_throw(bytes().tokenize("a man"));
    const auto position = static_cast<std::int64_t>(pieces.size()) - 1;
    const IdentityPrompt fits = tokenize_identity_prompt(bytes(), "a man img", "img", 2, position + 3);
    EXPECT_EQ(marked(fits).size(), 2u);
    EXPECT_EQ(values(fits.input_ids).back(), bytes().end_id());
    EXPECT_TRUE(fits.warnings.empty());
    const IdentityPrompt too_long = tokenize_identity_prompt(bytes(), "a man img", "img", 2, position + 2);
    EXPECT_TRUE(marked(too_long).empty());
    EXPECT_TRUE(at::equal(too_long.input_ids, too_long.plain_input_ids));
    EXPECT_EQ(too_long.warnings.size(), 1u);
}

TEST(IdentityPrompt, WhatStandsBehindTheLimitIsCutWithOneWarning) {
    const IdentityPrompt cut = tokenize_identity_prompt(bytes(), "a man img walks along the beach", "img", 2, 16);
    EXPECT_EQ(marked(cut).size(), 2u);
    EXPECT_EQ(values(cut.input_ids).size(), 16u);
    EXPECT_EQ(values(cut.input_ids).back(), bytes().end_id());
    EXPECT_EQ(cut.warnings.size(), 1u);
    const IdentityPrompt behind = tokenize_identity_prompt(bytes(), "along the beach walks a man img", "img", 2, 16);
    EXPECT_TRUE(marked(behind).empty());
    EXPECT_EQ(behind.warnings.size(), 1u);
}

TEST(IdentityPrompt, NobodyNamedIsAWarning) {
    const IdentityPrompt prompt = tokenize_identity_prompt(bytes(), "a landscape", "img", 2, 32);
    EXPECT_TRUE(marked(prompt).empty());
    EXPECT_EQ(prompt.warnings.size(), 1u);
    EXPECT_TRUE(at::equal(prompt.input_ids, prompt.plain_input_ids));
    EXPECT_THROW(tokenize_identity_prompt(bytes(), "img", "img", 2, 32), EngineError);
}

TEST(WordCharacters, AreLettersDigitsAndTheUnderscore) {
    for (const char32_t c : {U'a', U'Z', U'é', U'ß', U'Ж', U'女', U'ก', U'𝒳', U'ª'}) EXPECT_TRUE(is_letter(c));
    for (const char32_t c : {U'0', U'٣', U'_', U'½', U'Ⅷ', U'²'}) {
        EXPECT_TRUE(is_word_character(c));
        EXPECT_FALSE(is_letter(c));
    }
    for (const char32_t c : {U' ', U'-', U'.', U'’', U'\u0301', U'€', U'😀'}) EXPECT_FALSE(is_word_character(c));
    for (const char32_t c : {U' ', U'\t', U'\n', U'\u00A0', U'\u3000', U'\u2009', U'\u0085'})
        EXPECT_TRUE(is_white_space(c));
    EXPECT_FALSE(is_white_space(U'\u200B'));
}

TEST(WordCharacters, BytesThatAreNotUtf8AreNoCharacter) {
    EXPECT_EQ(character_at("\xF0\x9F\x98\x80", 0)->value, U'😀');
    for (const char* text : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3", "\xFF"}) {
        EXPECT_FALSE(character_at(text, 0).has_value());
    }
    EXPECT_FALSE(character_at("a", 1).has_value());
}

}  // namespace
}  // namespace mirror::engine::magic_mirror
