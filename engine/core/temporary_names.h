#pragma once

// What is not finished has a name of its own, .NAME.<12 hex digits>.part, and is locked by the program that writes it.
// The lock ends with the program however that ends, so the next one can tell what was left behind and take it away.

#include <filesystem>
#include <string_view>

namespace mirror {

// The folder that `target` lies in; "." if its name has none.
std::filesystem::path folder_of(const std::filesystem::path& target);

// A new hidden name beside `target`; the target's own name is shortened in it.
std::filesystem::path temporary_name(const std::filesystem::path& target);
bool is_temporary_name(std::string_view name);

// Locks a file or folder that was just created under `path`. False if a program that tidies up got hold of it first;
// then another name is to be tried. File systems without locks give none, and there nothing is tidied up either.
bool claim_temporary(int descriptor, const std::filesystem::path& path);

// Removes every temporary file in `folder` that belongs to this user and that no running program writes.
void remove_stale_files(const std::filesystem::path& folder);

// The same for temporary folders, with all that is in them, but only those made for `target`.
void remove_stale_folders(const std::filesystem::path& target);

}  // namespace mirror
