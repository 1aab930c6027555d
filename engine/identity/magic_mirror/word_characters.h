#pragma once

// Which Unicode characters are parts of words, and reading UTF-8 one character at a time.

#include <cstddef>
#include <optional>
#include <string_view>

namespace mirror::engine::magic_mirror {

struct Utf8Character {
    char32_t value = 0;
    std::size_t bytes = 0;
};

// The character that starts at `at`; empty where the text is not UTF-8 (overlong forms and surrogates included).
std::optional<Utf8Character> character_at(std::string_view text, std::size_t at);

bool is_letter(char32_t character);          // General category L
bool is_word_character(char32_t character);  // L, N or '_'
bool is_white_space(char32_t character);

}  // namespace mirror::engine::magic_mirror
