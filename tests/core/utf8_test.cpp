// UTF-8 checks, and what a foreign name looks like in a message.

#include "engine/core/utf8.h"

#include <gtest/gtest.h>

namespace mirror {
namespace {

TEST(Utf8, TakesScalarValuesOnly) {
    for (const char* good : {"", "abc", "\u00e9", "\u20ac", "\U0001F600", "\U0010FFFF", "\ufffd"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const char* bad :
         {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82", "\xc3", "\xe2\x28\xa1"}) {
        EXPECT_FALSE(is_utf8(bad)) << escape_for_message(bad);
    }
    EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
}

TEST(Utf8, AppendsWhatItReads) {
    for (const char32_t code_point : {0x0u, 0x7fu, 0x80u, 0x7ffu, 0x800u, 0xffffu, 0x10000u, 0x10ffffu}) {
        std::string text;
        append_utf8(text, code_point);
        EXPECT_TRUE(is_utf8(text)) << static_cast<std::uint32_t>(code_point);
    }
}

TEST(EscapeForMessage, LeavesNothingThatBreaksOrReordersALine) {
    EXPECT_EQ(escape_for_message("plain name.png"), "plain name.png");
    EXPECT_EQ(escape_for_message("na\u00efve \u4f60\u597d"), "na\u00efve \u4f60\u597d");
    EXPECT_EQ(escape_for_message("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    EXPECT_EQ(escape_for_message("\x1b[31mred"), "\\x1b[31mred");
    EXPECT_EQ(escape_for_message(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(escape_for_message("photo\u202egnp.exe"), "photo\\u202egnp.exe");
    EXPECT_EQ(escape_for_message("\u2066x\u2069\u200f\u061c"), "\\u2066x\\u2069\\u200f\\u061c");
    EXPECT_EQ(escape_for_message("a\u2028b\u0085c\ufeff"), "a\\u2028b\\x85c\\ufeff");
    EXPECT_EQ(escape_for_message("\U000e0041"), "\\U000e0041");
    EXPECT_EQ(escape_for_message("a\xff\xc3"), "a\\xff\\xc3");
}

TEST(EscapeForMessage, KeepsTheEndsOfALongName) {
    const std::string text = "begin" + std::string(10'000'000, 'x') + "end";
    const std::string shown = escape_for_message(text, 40);
    EXPECT_LE(shown.size(), 43u);
    EXPECT_TRUE(shown.starts_with("begin"));
    EXPECT_TRUE(shown.ends_with("end"));
    EXPECT_EQ(escape_for_message(std::string(40, 'x'), 40), std::string(40, 'x'));
}

TEST(EscapeForMessage, NeverCutsACharacter) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "\u20ac";
    for (std::size_t longest = 1; longest < 60; ++longest)
        EXPECT_TRUE(is_utf8(escape_for_message(text, longest))) << longest;
}

TEST(EscapeForMessage, TakesPaths) { EXPECT_EQ(escape_for_message(std::filesystem::path("a/b\n.png")), "a/b\\n.png"); }

}  // namespace
}  // namespace mirror
