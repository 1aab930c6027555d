#pragma once

// UTF-8 checks, and the only way a foreign name gets into a message: one line, no control or bidirectional characters.

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace mirror {

// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// The bytes of `code_point` appended to `text`. The code point must be a scalar value.
void append_utf8(std::string& text, char32_t code_point);

// `text` with control, line-breaking, invisible and bidirectional characters as \n, \x1b or \u202e and bytes that are
// not UTF-8 as \xff. Longer than `longest` bytes, it keeps its two ends.
std::string escape_for_message(std::string_view text, std::size_t longest = 96);

// The same for a file's name, under both names. A template, so that a std::string does not fit both functions.
std::string path_for_message(const std::filesystem::path& path);
template <std::same_as<std::filesystem::path> Path>
std::string escape_for_message(const Path& path) {
    return path_for_message(path);
}

}  // namespace mirror
