#include "engine/face/photograph.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/face/exif.h"
#include "engine/face/picture_decoders.h"

namespace mirror::face {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t sniffed_bytes = 32;

std::string shown_name(const std::filesystem::path& file) {
    return path_for_message(file.has_filename() ? file.filename() : file);
}

Error refused(const std::string& name, const std::string& reason) {
    return {ErrorCode::MalformedFile, name + " " + reason};
}

std::optional<PhotographFormat> sniff(Bytes bytes) {
    if (has_text(bytes, 0, "\xFF\xD8\xFF"sv)) return PhotographFormat::Jpeg;
    if (has_text(bytes, 0, "\x89PNG\r\n\x1A\n"sv)) return PhotographFormat::Png;
    if (has_text(bytes, 0, "RIFF"sv) && has_text(bytes, 8, "WEBP"sv)) return PhotographFormat::WebP;
    if (has_text(bytes, 0, "II*\0"sv) || has_text(bytes, 0, "MM\0*"sv)) return PhotographFormat::Tiff;
    if (has_text(bytes, 0, "II+\0"sv) || has_text(bytes, 0, "MM\0+"sv)) return PhotographFormat::Tiff;
    // Two letters are little; the reserved fields and a small header must be there as well.
    if (has_text(bytes, 0, "BM"sv) && little32(bytes, 6) == 0 && little32(bytes, 14) <= 256)
        return PhotographFormat::Bmp;
    return std::nullopt;
}

const char* to_text(PhotographFormat format) {
    switch (format) {
        case PhotographFormat::Jpeg:
            return "JPEG";
        case PhotographFormat::Png:
            return "PNG";
        case PhotographFormat::WebP:
            return "WebP";
        case PhotographFormat::Bmp:
            return "BMP";
        case PhotographFormat::Tiff:
            return "TIFF";
    }
    return "";
}

// An open descriptor, closed at the end of its scope.
class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }

private:
    int value_;
};

std::optional<Error> check_kind(const struct stat& status, const std::string& name) {
    if (S_ISDIR(status.st_mode)) return refused(name, "is a folder, not a photograph.");
    if (!S_ISREG(status.st_mode)) return refused(name, "is not a regular file and cannot be read as a photograph.");
    if (status.st_size == 0) return refused(name, "is empty.");
    if (status.st_size > limits::kPhotographFileBytes)
        return refused(name,
                       "is larger than " + std::to_string(limits::kPhotographFileBytes >> 20) + " MiB and is refused.");
    return std::nullopt;
}

bool read_exactly(int descriptor, std::uint8_t* target, std::size_t count) {
    while (count > 0) {
        const ssize_t got = ::read(descriptor, target, count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        target += got;
        count -= static_cast<std::size_t>(got);
    }
    return true;
}

Error unsupported(const std::string& name) {
    return refused(name, "is not supported: a photograph is a JPEG, PNG, WebP, BMP or TIFF file.");
}

std::optional<PictureSize> stated_size(Bytes bytes, PhotographInfo& info) {
    switch (info.format) {
        case PhotographFormat::Jpeg:
            info.orientation = jpeg_orientation(bytes);
            return jpeg_size(bytes);
        case PhotographFormat::Png:
            info.orientation = png_orientation(bytes);
            return png_size(bytes);
        case PhotographFormat::WebP:
            info.orientation = webp_orientation(bytes);
            return webp_size(bytes);
        case PhotographFormat::Bmp:
            return bmp_size(bytes);
        case PhotographFormat::Tiff: {
            const std::optional<TiffHeader> header = tiff_header(bytes);
            if (!header) return std::nullopt;
            info.orientation = header->orientation;
            return header->size;
        }
    }
    return std::nullopt;
}

Result<Frame> decode_stored(Bytes bytes, const PhotographInfo& info, const std::string& name) {
    switch (info.format) {
        case PhotographFormat::Jpeg:
            return decode_jpeg(bytes, info.orientation, name);
        case PhotographFormat::Png:
            return decode_png(bytes, name);
        case PhotographFormat::WebP:
            return decode_webp(bytes, name);
        case PhotographFormat::Bmp:
            return decode_bmp(bytes, name);
        case PhotographFormat::Tiff:
            return decode_tiff(bytes, name);
    }
    return unsupported(name);
}

}  // namespace

Result<std::vector<std::uint8_t>> read_photograph_bytes(const std::filesystem::path& file) {
    const std::string name = shown_name(file);
    const auto unreadable = [&] {
        const ErrorCode code = errno == ENOENT || errno == ENOTDIR ? ErrorCode::MissingFile : ErrorCode::MalformedFile;
        return Error{code, name + " cannot be read: " + std::strerror(errno) + "."};
    };
    // Asked before opening, because opening a device may do something; and again after, because the name may have
    // changed hands.
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return unreadable();
    if (const auto wrong = check_kind(status, name)) return *wrong;
    const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) return unreadable();
    if (const auto wrong = check_kind(status, name)) return *wrong;

    std::vector<std::uint8_t> bytes(std::min<std::size_t>(sniffed_bytes, static_cast<std::size_t>(status.st_size)));
    const std::size_t sniffed = bytes.size();
    if (!read_exactly(descriptor.get(), bytes.data(), sniffed)) return unreadable();
    if (!sniff(bytes)) return unsupported(name);
    bytes.resize(static_cast<std::size_t>(status.st_size));
    if (!read_exactly(descriptor.get(), bytes.data() + sniffed, bytes.size() - sniffed))
        return refused(name, "became shorter while it was read.");
    return bytes;
}

Result<PhotographInfo> inspect_photograph(Bytes bytes, const std::string& name) {
    const std::optional<PhotographFormat> format = sniff(bytes);
    if (!format) return unsupported(name);
    PhotographInfo info;
    info.format = *format;
    const std::optional<PictureSize> size = stated_size(bytes, info);
    if (!size || size->width < 1 || size->height < 1) return damaged(name, to_text(*format));
    if (size->width > limits::kPhotographSide || size->height > limits::kPhotographSide ||
        size->width * size->height > limits::kPhotographPixels)
        return refused(name, "is too large: " + std::to_string(size->width) + " x " + std::to_string(size->height) +
                                 " pixels, where 65535 a side and 268435456 in all are allowed.");
    info.width = static_cast<int>(size->width);
    info.height = static_cast<int>(size->height);
    const bool turned_later = info.format != PhotographFormat::Jpeg && info.orientation != 1;
    info.memory = size->width * size->height * (size->bytes_per_pixel + (turned_later ? 3 : 0));
    return info;
}

namespace {

// A header may state any size; memory is not spent on pixels for which the file has no bytes.
bool is_believable(const PhotographInfo& info, std::size_t file_bytes) {
    const std::int64_t pixels = std::int64_t{info.width} * info.height;
    return pixels <= limits::kPhotographPixelsUnasked ||
           pixels / limits::kPhotographPixelsPerByte <= static_cast<std::int64_t>(file_bytes);
}

Error needs_too_much(const PhotographInfo& info, std::int64_t memory, const std::string& name) {
    return refused(name, "is too large: to read its " + std::to_string(info.width) + " x " +
                             std::to_string(info.height) + " pixels takes " + std::to_string(memory >> 20) +
                             " MiB of memory, where " + std::to_string(limits::kPhotographMemory >> 20) +
                             " MiB are allowed; save it smaller.");
}

}  // namespace

Result<Frame> decode_photograph(Bytes bytes, const std::string& name) {
    const Result<PhotographInfo> info = inspect_photograph(bytes, name);
    if (!info) return info.error();
    if (!is_believable(info.value(), bytes.size())) return damaged(name, to_text(info.value().format));
    const std::int64_t memory = info.value().memory + static_cast<std::int64_t>(bytes.size());
    if (memory > limits::kPhotographMemory) return needs_too_much(info.value(), memory, name);
    try {
        Result<Frame> stored = decode_stored(bytes, info.value(), name);
        if (!stored || info.value().format == PhotographFormat::Jpeg) return stored;
        return upright(std::move(stored).value(), info.value().orientation);
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::OutOfMemory, name + " needs more memory than there is."};
    }
}

Result<Frame> read_photograph(const std::filesystem::path& file) {
    Result<std::vector<std::uint8_t>> bytes = read_photograph_bytes(file);
    if (!bytes) return bytes.error();
    return decode_photograph(bytes.value(), shown_name(file));
}

Frame make_upright_frame(std::int64_t stored_width, std::int64_t stored_height, int orientation) {
    return orientation >= 5 ? make_frame(stored_height, stored_width) : make_frame(stored_width, stored_height);
}

void place_row(const std::uint8_t* row, int y, int orientation, Frame& frame) {
    const bool turned = orientation >= 5;
    const int width = turned ? frame.height : frame.width;
    const int height = turned ? frame.width : frame.height;
    const bool mirrored = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool upside_down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const int line = upside_down ? height - 1 - y : y;
    for (int x = 0; x < width; ++x, row += 3) {
        const int column = mirrored ? width - 1 - x : x;
        std::memcpy(frame.row(turned ? column : line) + 3 * (turned ? line : column), row, 3);
    }
}

Frame upright(Frame stored, int orientation) {
    if (orientation < 2 || orientation > 8) return stored;
    Frame frame = make_upright_frame(stored.width, stored.height, orientation);
    for (int y = 0; y < stored.height; ++y) place_row(stored.row(y), y, orientation, frame);
    return frame;
}

}  // namespace mirror::face
