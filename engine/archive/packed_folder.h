#pragma once

// A folder in one ZIP file, read in place: nothing of it is ever unpacked to the disk. What comes from it is untrusted.
// What has one of the faults that formats::parse_zip() knows, an entry that is neither a file nor a folder, or more
// bytes than it says is refused as a whole.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/limits.h"
#include "engine/core/result.h"

namespace mirror::archive {

// Of what is read; unpacked sizes.
struct PackedLimits {
    std::size_t entries = limits::kPackedEntries;
    std::uint64_t entry_bytes = limits::kPackedEntryBytes;
    std::uint64_t bytes = limits::kPackedBytes;
};

// Not thread-safe.
class PackedFolder {
public:
    // Reads every entry once, so that damage is told now. The folder is the one that holds the file `landmark`: the
    // archive's top or, if that does not, the one folder there that does. Errors: MissingFile, MalformedFile,
    // OutOfMemory, Cancelled; the sentence names the file, and the entry.
    static Result<std::shared_ptr<const PackedFolder>> open(const std::filesystem::path& file,
                                                            const std::string& landmark, const std::stop_token& stop,
                                                            const PackedLimits& most = {});
    ~PackedFolder();
    PackedFolder(const PackedFolder&) = delete;
    PackedFolder& operator=(const PackedFolder&) = delete;

    // The files, relative to the folder, in ascending bytewise order.
    std::vector<std::string> names() const;
    bool holds(const std::string& name) const { return entries_.contains(root_ + name); }

    // A file, refused before reading if it is larger than `longest` bytes. Errors: MissingFile, MalformedFile,
    // OutOfMemory.
    Result<std::vector<std::uint8_t>> read(const std::string& name, std::uint64_t longest) const;

private:
    struct Archive;
    struct Entry {
        std::uint64_t index = 0;
        std::uint64_t bytes = 0;
    };
    using Take = std::function<void(std::span<const std::uint8_t>)>;

    PackedFolder(std::filesystem::path file, std::unique_ptr<Archive> archive);
    Status list(const PackedLimits& most);
    Status list_entry(std::uint64_t index, const PackedLimits& most);
    Status find_root(const std::string& landmark);
    Status check_all(const std::stop_token& stop) const;
    Status read_entry(const std::string& name, const Entry& entry, const Take& take, const std::stop_token& stop) const;
    Error refused(const std::string& what) const;
    Error refused_entry(const std::string& name, const std::string& what) const;

    std::filesystem::path file_;
    std::unique_ptr<Archive> archive_;
    std::map<std::string, Entry> entries_;  // The files, by their names in the archive.
    std::uint64_t bytes_ = 0;
    std::string root_;  // "" or "NAME/".
};

}  // namespace mirror::archive
