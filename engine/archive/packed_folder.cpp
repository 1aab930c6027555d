#include "engine/archive/packed_folder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/archive/zip_handles.h"
#include "engine/core/project.h"
#include "engine/core/utf8.h"
#include "engine/formats/zip_archive.h"

namespace mirror::archive {

namespace {

namespace fs = std::filesystem;

constexpr const char* kWanted = "a packed folder (ZIP)";
constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
constexpr std::size_t kShownName = 80;
constexpr zip_flags_t kAsStored = ZIP_FL_ENC_RAW | ZIP_FL_UNCHANGED;

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return number_; }
    void release() { number_ = -1; }

private:
    int number_;
};

Error cannot_read(const fs::path& file, int number) {
    const bool missing = number == ENOENT || number == ENOTDIR;
    return {missing ? ErrorCode::MissingFile : ErrorCode::MalformedFile,
            "Cannot read " + path_for_message(file) + ": " + std::generic_category().message(number) + "."};
}

Error stopped() { return {ErrorCode::Cancelled, "stopped by the user"}; }

// An entry that is a folder says so by a slash at its end.
std::string without_slash(std::string name) {
    if (name.ends_with('/')) name.pop_back();
    return name;
}

// Before libzip sees the file, which believes what an archive says of itself: how many entries there are, for one.
Status check_structure(int descriptor, const fs::path& file, std::size_t most_entries) {
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) return cannot_read(file, errno);
    const std::string name = path_for_message(file);
    if (!S_ISREG(info.st_mode))
        return Error{ErrorCode::MalformedFile, name + " is neither a folder nor a regular file."};
    if (info.st_size == 0) return Error{ErrorCode::MalformedFile, name + " is empty."};
    const auto size = static_cast<std::size_t>(info.st_size);
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (start == MAP_FAILED) return cannot_read(file, errno);
    const std::unique_ptr<void, std::function<void(void*)>> mapping(start, [size](void* at) { ::munmap(at, size); });
    const auto outline = formats::parse_zip({static_cast<const std::byte*>(start), size}, file.string(), kWanted);
    if (!outline) return outline.error();
    if (outline.value().entries.size() > most_entries)
        return Error{ErrorCode::MalformedFile,
                     name + " holds more than " + std::to_string(most_entries) + " entries and is refused."};
    for (const formats::ZipEntry& entry : outline.value().entries) {
        const Status status = check_project_path(without_slash(entry.name), "the entry");
        if (!status) return Error{ErrorCode::MalformedFile, name + " is refused: " + status.error().detail};
    }
    return success();
}

// Whether it is a file or a folder, as far as the archive says what it is.
bool is_plain_kind(std::uint8_t system, std::uint32_t attributes) {
    const std::uint32_t kind = (attributes >> 16) & S_IFMT;
    return system != ZIP_OPSYS_UNIX || kind == 0 || kind == S_IFREG || kind == S_IFDIR;
}

std::string reason_of(zip_error_t* error) {
    if (zip_error_code_zip(error) == ZIP_ER_CRC) return "is damaged: its checksum is wrong";
    return std::string("is damaged: ") + zip_error_strerror(error);
}

}  // namespace

struct PackedFolder::Archive {
    ZipHandle handle;
};

PackedFolder::PackedFolder(fs::path file, std::unique_ptr<Archive> archive)
    : file_(std::move(file)), archive_(std::move(archive)) {}

PackedFolder::~PackedFolder() = default;

Error PackedFolder::refused(const std::string& what) const {
    return {ErrorCode::MalformedFile, path_for_message(file_) + " " + what + "."};
}

Error PackedFolder::refused_entry(const std::string& name, const std::string& what) const {
    return refused("is refused: the entry " + escape_for_message(name, kShownName) + " " + what);
}

Result<std::shared_ptr<const PackedFolder>> PackedFolder::open(const fs::path& file, const std::string& landmark,
                                                               const std::stop_token& stop, const PackedLimits& most) {
    Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (descriptor.get() < 0) return cannot_read(file, errno);
    if (const Status status = check_structure(descriptor.get(), file, most.entries); !status) return status.error();
    int code = 0;
    auto archive = std::make_unique<Archive>();
    archive->handle.reset(zip_fdopen(descriptor.get(), 0, &code));
    if (!archive->handle) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        const std::string reason = zip_error_strerror(&error);
        zip_error_fini(&error);
        return Error{ErrorCode::MalformedFile, "Cannot read " + path_for_message(file) + ": " + reason + "."};
    }
    descriptor.release();  // libzip has closed it and keeps one of its own.
    const std::shared_ptr<PackedFolder> folder(new PackedFolder(file, std::move(archive)));
    if (const Status status = folder->list(most); !status) return status.error();
    if (const Status status = folder->find_root(landmark); !status) return status.error();
    if (const Status status = folder->check_all(stop); !status) return status.error();
    return std::shared_ptr<const PackedFolder>(folder);
}

Status PackedFolder::list(const PackedLimits& most) {
    const zip_int64_t count = zip_get_num_entries(archive_->handle.get(), ZIP_FL_UNCHANGED);
    for (zip_int64_t i = 0; i < count; ++i)
        if (const Status status = list_entry(static_cast<std::uint64_t>(i), most); !status) return status;
    return success();
}

Status PackedFolder::list_entry(std::uint64_t index, const PackedLimits& most) {
    zip_t* const archive = archive_->handle.get();
    zip_stat_t info;
    std::uint8_t system = 0;
    std::uint32_t attributes = 0;
    const char* stored = zip_get_name(archive, index, kAsStored);
    if (stored == nullptr || zip_stat_index(archive, index, ZIP_FL_UNCHANGED, &info) != 0 ||
        zip_file_get_external_attributes(archive, index, ZIP_FL_UNCHANGED, &system, &attributes) != 0)
        return refused("is damaged: its directory cannot be read");
    const bool is_folder = std::string_view(stored).ends_with('/');
    std::string name = without_slash(stored);
    if (!is_plain_kind(system, attributes)) return refused_entry(name, "is neither a file nor a folder");
    if (is_folder) return info.size == 0 ? success() : refused_entry(name, "is a folder with content");
    if (info.size > most.entry_bytes)
        return refused_entry(name, "is larger than " + std::to_string(most.entry_bytes) + " bytes");
    bytes_ += info.size;
    if (bytes_ > most.bytes)
        return refused("unpacks to more than " + std::to_string(most.bytes) + " bytes and is refused");
    entries_.emplace(std::move(name), Entry{index, info.size});
    return success();
}

Status PackedFolder::find_root(const std::string& landmark) {
    if (holds(landmark)) return success();
    int found = 0;
    for (const auto& [name, entry] : entries_) {
        const std::size_t slash = name.find('/');
        if (slash == std::string::npos || name.substr(slash + 1) != landmark) continue;
        root_ = name.substr(0, slash + 1);
        ++found;
    }
    if (found == 0) return refused("holds no " + landmark + ", neither at its top nor in a folder there");
    if (found > 1) return refused("holds " + std::to_string(found) + " folders with a " + landmark);
    return success();
}

Status PackedFolder::check_all(const std::stop_token& stop) const {
    const auto ignore = [](std::span<const std::uint8_t>) {};
    for (const auto& [name, entry] : entries_)
        if (const Status status = read_entry(name, entry, ignore, stop); !status) return status;
    return success();
}

Status PackedFolder::read_entry(const std::string& name, const Entry& entry, const Take& take,
                                const std::stop_token& stop) const {
    zip_t* const archive = archive_->handle.get();
    const EntryHandle handle(zip_fopen_index(archive, entry.index, ZIP_FL_UNCHANGED));
    if (!handle) {
        zip_error_t* const error = zip_get_error(archive);
        if (zip_error_code_zip(error) == ZIP_ER_MEMORY) throw std::bad_alloc();
        return refused_entry(name, std::string("cannot be read: ") + zip_error_strerror(error));
    }
    std::vector<std::uint8_t> piece(kPieceBytes);
    // Counted here: an entry may unpack to more than its directory says.
    for (std::uint64_t count = 0;;) {
        if (stop.stop_requested()) return stopped();
        const zip_int64_t got = zip_fread(handle.get(), piece.data(), piece.size());
        if (got < 0) return refused_entry(name, reason_of(zip_file_get_error(handle.get())));
        count += static_cast<std::uint64_t>(got);
        if (count > entry.bytes) return refused_entry(name, "unpacks to more bytes than it says");
        if (got == 0 && count < entry.bytes) return refused_entry(name, "is cut off");
        if (got == 0) return success();
        take(std::span(piece).first(static_cast<std::size_t>(got)));
    }
}

std::vector<std::string> PackedFolder::names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_)
        if (name.starts_with(root_)) names.push_back(name.substr(root_.size()));
    return names;
}

Result<std::vector<std::uint8_t>> PackedFolder::read(const std::string& name, std::uint64_t longest) const {
    const auto found = entries_.find(root_ + name);
    if (found == entries_.end())
        return Error{ErrorCode::MissingFile,
                     path_for_message(file_) + " does not hold " + escape_for_message(name, kShownName) + "."};
    if (found->second.bytes > longest)
        return refused_entry(name, "is larger than " + std::to_string(longest >> 20) + " MiB");
    std::vector<std::uint8_t> bytes;
    bytes.reserve(found->second.bytes);
    const Take take = [&bytes](std::span<const std::uint8_t> piece) {
        bytes.insert(bytes.end(), piece.begin(), piece.end());
    };
    if (const Status status = read_entry(found->first, found->second, take, {}); !status) return status.error();
    return bytes;
}

}  // namespace mirror::archive
