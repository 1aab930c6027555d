#pragma once

// Numbers that JSON allows and the strict reader has no type for.

#include <string>
#include <string_view>

namespace mirror::engine::magic_mirror {

// The same text, with integers beyond 64 bits spelt as reals and reals beyond a double as null. A configuration is then
// refused by the key that holds the impossible value, not as a whole.
std::string with_numbers_in_range(std::string_view json);

}  // namespace mirror::engine::magic_mirror
