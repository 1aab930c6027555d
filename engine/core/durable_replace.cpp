#include "engine/core/durable_replace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/temporary_names.h"
#include "engine/core/utf8.h"

namespace mirror {
namespace {

namespace fs = std::filesystem;

constexpr int kNameAttempts = 100;
constexpr mode_t kNewFileMode = 0666;  // Less what umask takes.

Error write_error(const fs::path& target, const std::string& reason) {
    return {ErrorCode::WriteFailed, "Cannot write " + path_for_message(target) + ": " + reason + "."};
}

Error system_error(const fs::path& target, int number) {
    return write_error(target,
                       std::strerror(number));  // NOLINT(concurrency-mt-unsafe): glibc's is safe for known numbers.
}

// What stands under the name now: its mode if it is a regular file, nothing if there is none.
Result<std::optional<mode_t>> replaceable(const fs::path& target) {
    if (target.filename().empty() || target.filename() == "." || target.filename() == "..") {
        return write_error(target, "it is not the name of a file");
    }
    struct stat info {};
    if (::lstat(target.c_str(), &info) != 0) {
        if (errno == ENOENT) return std::optional<mode_t>{};
        return system_error(target, errno);
    }
    if (S_ISDIR(info.st_mode)) return write_error(target, "it is a folder");
    if (S_ISLNK(info.st_mode)) return write_error(target, "it is a symbolic link, which is never replaced");
    if (!S_ISREG(info.st_mode)) return write_error(target, "it is not a regular file");
    return std::optional<mode_t>{info.st_mode & 0777};
}

Status sync_folder(const fs::path& target) {
    const int folder = ::open(folder_of(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return system_error(target, errno);
    const int failed = ::fsync(folder) == 0 ? 0 : errno;
    ::close(folder);
    // Some network and FUSE file systems cannot sync a folder and say EINVAL; the rename itself has happened.
    if (failed != 0 && failed != EINVAL && failed != ENOTSUP) return system_error(target, failed);
    return success();
}

// One more check right before the rename: somebody may have put something else there meanwhile.
Status rename_and_sync(const fs::path& finished, const fs::path& target) {
    if (auto state = replaceable(target); !state) return state.error();
    if (::rename(finished.c_str(), target.c_str()) != 0) return system_error(target, errno);
    return sync_folder(target);
}

Status sync_and_check(int descriptor, std::uint64_t expected, const fs::path& target) {
    // A failed fsync is final: the kernel may have dropped the pages, and a second one would report success.
    if (::fsync(descriptor) != 0) return system_error(target, errno);
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) return system_error(target, errno);
    if (static_cast<std::uint64_t>(info.st_size) != expected)
        return write_error(target, "the file does not have the size that was written");
    return success();
}

Status check_content(const fs::path& file, std::string_view bytes, const fs::path& target) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return system_error(target, errno);
    std::vector<char> piece(1 << 16);
    std::size_t compared = 0;
    Status status = success();
    while (status.ok()) {
        const ssize_t got = ::read(descriptor, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = system_error(target, errno);
        if (got <= 0) break;
        const auto count = static_cast<std::size_t>(got);
        if (bytes.substr(compared, count) != std::string_view(piece.data(), count)) break;
        compared += count;
    }
    ::close(descriptor);
    if (status.ok() && compared != bytes.size())
        status = write_error(target, "what was written reads back differently");
    return status;
}

}  // namespace

TemporaryFile::TemporaryFile(fs::path target, fs::path path, int descriptor)
    : target_(std::move(target)), path_(std::move(path)), descriptor_(descriptor) {}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept { *this = std::move(other); }

TemporaryFile& TemporaryFile::operator=(TemporaryFile&& other) noexcept {
    if (this != &other) {
        discard();
        target_.swap(other.target_);
        path_.swap(other.path_);
        descriptor_ = std::exchange(other.descriptor_, -1);
        written_ = std::exchange(other.written_, 0);
    }
    return *this;
}

TemporaryFile::~TemporaryFile() { discard(); }

void TemporaryFile::discard() noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
    if (!path_.empty()) ::unlink(path_.c_str());
    path_.clear();
}

Result<TemporaryFile> TemporaryFile::create_beside(const fs::path& target) {
    const auto existing = replaceable(target);
    if (!existing) return existing.error();
    remove_stale_files(folder_of(target));
    for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
        fs::path path = temporary_name(target);
        const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kNewFileMode);
        if (descriptor < 0) {
            if (errno == EEXIST) continue;
            return system_error(target, errno);
        }
        if (!claim_temporary(descriptor, path)) {
            ::close(descriptor);
            continue;
        }
        TemporaryFile file(target, std::move(path), descriptor);
        if (existing.value() && ::fchmod(descriptor, *existing.value()) != 0) return system_error(target, errno);
        return file;
    }
    return write_error(target, "no free temporary name beside it");
}

Status TemporaryFile::write(std::span<const std::byte> bytes) {
    constexpr std::size_t kPiece = std::size_t{1} << 30;  // Linux writes at most 2 GiB at once.
    while (!bytes.empty()) {
        const ssize_t put = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kPiece));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return system_error(target_, errno);
        if (put == 0) return write_error(target_, "the disk takes no more bytes");
        written_ += static_cast<std::uint64_t>(put);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return success();
}

Status TemporaryFile::write(std::string_view bytes) {
    return write(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

Status TemporaryFile::publish() {
    if (descriptor_ < 0) return write_error(target_, "it was already written");
    std::uint64_t expected = written_;
    if (expected == 0) {
        // Somebody else wrote through path(): take the size as it is, but only of the very file that was created.
        struct stat mine {
        }, named{};
        if (::fstat(descriptor_, &mine) != 0 || ::lstat(path_.c_str(), &named) != 0)
            return system_error(target_, errno);
        if (mine.st_dev != named.st_dev || mine.st_ino != named.st_ino)
            return write_error(target_, "its temporary file was replaced");
        expected = static_cast<std::uint64_t>(mine.st_size);
    }
    Status status = sync_and_check(descriptor_, expected, target_);
    if (!status) return status;
    // Renamed while it is still open and locked: otherwise another program could take it for one left behind.
    status = rename_and_sync(path_, target_);
    if (status.ok()) path_.clear();
    ::close(std::exchange(descriptor_, -1));
    return status;
}

Status durable_replace(const fs::path& target, std::string_view bytes) {
    auto file = TemporaryFile::create_beside(target);
    if (!file) return file.error();
    if (Status status = file.value().write(bytes); !status) return status;
    if (Status status = check_content(file.value().path(), bytes, target); !status) return status;
    return file.value().publish();
}

Status make_folders(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) return success();
    return Error{ErrorCode::WriteFailed,
                 "Cannot make the folder " + path_for_message(folder) + ": " + error.message() + "."};
}

}  // namespace mirror
