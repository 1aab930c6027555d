#include "engine/weights/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/core/utf8.h"

namespace mirror::engine {
namespace {

Error open_error(const std::filesystem::path& path, int number) {
    const std::string name = path_for_message(path);
    if (number == ENOENT || number == ENOTDIR) return {ErrorCode::MissingFile, "There is no file " + name + "."};
    if (number == ELOOP) return {ErrorCode::MalformedFile, "Cannot read " + name + ": it is a symbolic link."};
    return {ErrorCode::MissingFile, "Cannot read " + name + ": " + std::strerror(number) + "."};
}

// The kernel maps this much around every page that is read, so that neighbours of a range come in with it.
constexpr std::size_t kReadAround = std::size_t{64} << 10;

struct PageRange {
    std::byte* start;
    std::size_t length;
};

// A range of a mapping, widened to whole steps of `step` bytes within it.
PageRange pages_of(void* mapping, std::size_t size, std::size_t offset, std::size_t length, std::size_t step) {
    const std::size_t begin = offset / step * step;
    const std::size_t end = std::min(size, (offset + length + step - 1) / step * step);
    return {static_cast<std::byte*>(mapping) + begin, end - begin};
}

// Closes on every way out.
struct Descriptor {
    int number;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

// Opens a regular file and says its size. A FIFO must neither block nor pass.
Result<std::uint64_t> open_regular(const std::filesystem::path& path, Links links, Descriptor& descriptor) {
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links == Links::Refuse ? O_NOFOLLOW : 0);
    descriptor.number = ::open(path.c_str(), flags);
    if (descriptor.number < 0) return open_error(path, errno);
    struct stat info {};
    if (::fstat(descriptor.number, &info) != 0) return open_error(path, errno);
    if (!S_ISREG(info.st_mode)) {
        return Error{ErrorCode::MalformedFile, "Cannot read " + path_for_message(path) + ": it is not a regular file."};
    }
    return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace

Result<std::shared_ptr<MappedFile>> MappedFile::open(const std::filesystem::path& path, Links links) {
    Descriptor descriptor{-1};
    const auto size = open_regular(path, links, descriptor);
    if (!size) return size.error();
    void* start = nullptr;
    if (size.value() > 0) {
        start = ::mmap(nullptr, size.value(), PROT_READ, MAP_PRIVATE, descriptor.number, 0);
        if (start == MAP_FAILED) return open_error(path, errno);
    }
    return std::shared_ptr<MappedFile>(new MappedFile(path, start, size.value()));
}

MappedFile::~MappedFile() {
    if (start_ != nullptr) ::munmap(start_, size_);
}

Status MappedFile::bring_in(std::size_t offset, std::size_t length) const {
    if (length == 0) return success();
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const PageRange range = pages_of(start_, size_, offset, length, page);
    for (;;) {
        if (::madvise(range.start, range.length, MADV_POPULATE_READ) == 0) return success();
        if (errno == EINTR || errno == EAGAIN) continue;
        if (errno == EINVAL) break;  // A kernel before 5.14.
        return Error{ErrorCode::MalformedFile,
                     "Cannot read " + path_for_message(path_) + ": it was cut off while being read."};
    }
    ::madvise(range.start, range.length, MADV_WILLNEED);
    return success();
}

void MappedFile::let_go(std::size_t offset, std::size_t length) const {
    if (length == 0) return;
    const PageRange range = pages_of(start_, size_, offset, length, kReadAround);
    ::madvise(range.start, range.length, MADV_DONTNEED);  // Only advice: failing costs memory, nothing else.
}

Result<std::string> read_whole_file(const std::filesystem::path& path, std::uint64_t longest) {
    Descriptor descriptor{-1};
    const auto size = open_regular(path, Links::Follow, descriptor);
    if (!size) return size.error();
    if (size.value() > longest) {
        return Error{ErrorCode::MalformedFile, "Cannot read " + path_for_message(path) + ": it has " +
                                                   std::to_string(size.value()) + " bytes, above the limit of " +
                                                   std::to_string(longest) + "."};
    }
    std::string text(size.value(), '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
        // At most 1 GiB at once: Linux reads no more than 2 GiB.
        const ssize_t got = ::read(descriptor.number, text.data() + filled,
                                   std::min<std::size_t>(text.size() - filled, std::size_t{1} << 30));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return open_error(path, errno);
        if (got == 0)
            return Error{ErrorCode::MalformedFile,
                         "Cannot read " + path_for_message(path) + ": it was cut off while being read."};
        filled += static_cast<std::size_t>(got);
    }
    return text;
}

}  // namespace mirror::engine
