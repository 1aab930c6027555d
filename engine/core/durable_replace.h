#pragma once

// The only way the program writes a file that somebody keeps: nothing is visible under the final name before it is
// complete and on the disk, and what was there before stays there if anything fails.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "engine/core/result.h"

namespace mirror {

// A new, empty, hidden file beside `target`, removed by the destructor unless publish() succeeded. Movable, not
// thread-safe.
class TemporaryFile {
public:
    // Refuses a target that exists and is not a regular file (a link is not one). WriteFailed names the target.
    static Result<TemporaryFile> create_beside(const std::filesystem::path& target);

    TemporaryFile(TemporaryFile&& other) noexcept;
    TemporaryFile& operator=(TemporaryFile&& other) noexcept;
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile();

    // Other libraries (a muxer) may open this path and write the file themselves; then publish() takes what is there.
    const std::filesystem::path& path() const { return path_; }
    int descriptor() const { return descriptor_; }

    // Appends. May be called any number of times.
    Status write(std::span<const std::byte> bytes);
    Status write(std::string_view bytes);

    // Syncs the file, checks that it has the size that write() put there, renames it to the target and syncs the
    // folder.
    Status publish();

private:
    TemporaryFile(std::filesystem::path target, std::filesystem::path path, int descriptor);
    void discard() noexcept;

    std::filesystem::path target_;
    std::filesystem::path path_;  // Empty once published or moved from.
    int descriptor_ = -1;
    std::uint64_t written_ = 0;
};

// The whole file at once; read back and compared before it gets its name.
Status durable_replace(const std::filesystem::path& target, std::string_view bytes);

// Makes the folder and those above it. WriteFailed names it.
Status make_folders(const std::filesystem::path& folder);

}  // namespace mirror
