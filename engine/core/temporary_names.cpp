#include "engine/core/temporary_names.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

namespace mirror {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestKeptName = 200;  // Of the target's name in the temporary one: NAME_MAX is 255.
constexpr std::size_t kDigits = 12;
constexpr std::string_view kEnding = ".part";

std::string kept_name(const fs::path& target) { return target.filename().native().substr(0, kLongestKeptName); }

bool is_digit(char character) {
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f');
}

// Of a temporary name: the part of the target's name in it.
std::string_view target_in(std::string_view name) { return name.substr(1, name.size() - 2 - kDigits - kEnding.size()); }

bool is_named(const fs::path& path, const struct stat& state) {
    struct stat named {};
    return ::lstat(path.c_str(), &named) == 0 && named.st_dev == state.st_dev && named.st_ino == state.st_ino;
}

// Whether `path` is what `kind` says, this user's, and locked by nobody. `remove` is called while it is locked here.
void remove_if_stale(const fs::path& path, mode_t kind, const std::function<void()>& remove) {
    struct stat state {};
    const auto is_ours = [&] { return (state.st_mode & S_IFMT) == kind && state.st_uid == ::geteuid(); };
    if (::lstat(path.c_str(), &state) != 0 || !is_ours()) return;
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) return;
    if (::fstat(descriptor, &state) == 0 && is_ours() && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
        is_named(path, state))
        remove();
    ::close(descriptor);
}

std::vector<fs::path> temporaries_in(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
        if (is_temporary_name(entry->path().filename().native())) found.push_back(entry->path());
    return found;
}

}  // namespace

fs::path folder_of(const fs::path& target) { return target.has_parent_path() ? target.parent_path() : fs::path("."); }

fs::path temporary_name(const fs::path& target) {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof random)) {
        random = static_cast<std::uint64_t>(::getpid());  // Only has to differ from file to file; O_EXCL decides.
    }
    std::array<char, 24> suffix{};
    std::snprintf(suffix.data(), suffix.size(), ".%012llx",
                  static_cast<unsigned long long>(random & 0xffffffffffffULL));
    std::string name = ".";
    name.append(kept_name(target)).append(suffix.data()).append(kEnding);
    return folder_of(target) / name;
}

bool is_temporary_name(std::string_view name) {
    if (name.size() < 3 + kDigits + kEnding.size() || !name.starts_with(".") || !name.ends_with(kEnding)) return false;
    const std::string_view digits = name.substr(name.size() - kEnding.size() - kDigits, kDigits);
    return name[name.size() - kEnding.size() - kDigits - 1] == '.' && std::ranges::all_of(digits, is_digit);
}

bool claim_temporary(int descriptor, const fs::path& path) {
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
    struct stat state {};
    return ::fstat(descriptor, &state) == 0 && is_named(path, state);
}

void remove_stale_files(const fs::path& folder) {
    for (const fs::path& path : temporaries_in(folder)) remove_if_stale(path, S_IFREG, [&] { ::unlink(path.c_str()); });
}

void remove_stale_folders(const fs::path& target) {
    for (const fs::path& path : temporaries_in(folder_of(target))) {
        if (target_in(path.filename().native()) != kept_name(target)) continue;
        remove_if_stale(path, S_IFDIR, [&] {
            std::error_code ignored;
            fs::remove_all(path, ignored);
        });
    }
}

}  // namespace mirror
