#pragma once

// A regular file mapped read-only into memory for as long as the object lives. Writing into it is a crash, by design;
// so is reading it after somebody cut the file shorter.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "engine/core/result.h"

namespace mirror::engine {

// Links that a user names are followed (model caches consist of them); names that come out of a file may not be links.
enum class Links { Follow, Refuse };

class MappedFile {
public:
    static Result<std::shared_ptr<MappedFile>> open(const std::filesystem::path& path, Links links = Links::Follow);

    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(start_), size_}; }
    const std::filesystem::path& path() const { return path_; }

    // Brings a range into memory now, so that nobody waits for the disk later. MalformedFile if the file has become
    // shorter.
    Status bring_in(std::size_t offset, std::size_t length) const;
    // Takes a range out of this program's memory; whoever reads it again gets it from the file, unchanged.
    void let_go(std::size_t offset, std::size_t length) const;

private:
    MappedFile(std::filesystem::path path, void* start, std::size_t size)
        : path_(std::move(path)), start_(start), size_(size) {}

    std::filesystem::path path_;
    void* start_;  // Null for an empty file.
    std::size_t size_;
};

// The whole of a regular file, refused before reading if it is larger than `longest` bytes.
Result<std::string> read_whole_file(const std::filesystem::path& path, std::uint64_t longest);

}  // namespace mirror::engine
