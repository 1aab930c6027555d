#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "engine/core/limits.h"
#include "engine/face/picture_decoders.h"

namespace mirror::face {
namespace {

// libtiff reads through these, out of memory.
struct Reader {
    Bytes file;
    std::uint64_t at = 0;
};

Reader& reader_of(thandle_t handle) { return *static_cast<Reader*>(handle); }

tmsize_t read_bytes(thandle_t handle, void* target, tmsize_t count) {
    Reader& reader = reader_of(handle);
    if (count <= 0 || reader.at >= reader.file.size()) return 0;
    const std::size_t left = reader.file.size() - static_cast<std::size_t>(reader.at);
    const std::size_t size = std::min(static_cast<std::size_t>(count), left);
    std::memcpy(target, reader.file.data() + reader.at, size);
    reader.at += size;
    return static_cast<tmsize_t>(size);
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek(thandle_t handle, toff_t offset, int from) {
    Reader& reader = reader_of(handle);
    const std::uint64_t base = from == SEEK_CUR ? reader.at : from == SEEK_END ? reader.file.size() : 0;
    reader.at = base + offset;
    return reader.at;
}

int close_nothing(thandle_t) { return 0; }
toff_t size_of(thandle_t handle) { return reader_of(handle).file.size(); }

// 1: handled, nothing more is to be done with the message.
int print_nothing(TIFF*, void*, const char*, const char*, va_list) { return 1; }

using TiffPointer = std::unique_ptr<TIFF, void (*)(TIFF*)>;

TiffPointer open_tiff(Reader& reader) {
    const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                               TIFFOpenOptionsFree);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), limits::kPhotographPixels * 4);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), print_nothing, nullptr);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), print_nothing, nullptr);
    // m: no memory map, which would go around the functions above.
    return TiffPointer(TIFFClientOpenExt("picture", "rm", &reader, read_bytes, write_nothing, seek, close_nothing,
                                         size_of, nullptr, nullptr, options.get()),
                       TIFFClose);
}

// libtiff returns colours already multiplied by their alpha, four bytes in one number.
void join_premultiplied(const std::uint8_t* pixel, std::uint8_t* rgb) {
    std::uint32_t four = 0;
    std::memcpy(&four, pixel, sizeof four);
    const std::uint32_t white = 255u - TIFFGetA(four);
    rgb[0] = static_cast<std::uint8_t>(std::min(255u, TIFFGetR(four) + white));
    rgb[1] = static_cast<std::uint8_t>(std::min(255u, TIFFGetG(four) + white));
    rgb[2] = static_cast<std::uint8_t>(std::min(255u, TIFFGetB(four) + white));
}

// Beside the picture, libtiff holds one strip or tile, of each plane where they are apart.
std::int64_t strip_bytes(TIFF* tiff) {
    std::uint16_t planes = 1, layout = PLANARCONFIG_CONTIG;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &layout);
    if (layout == PLANARCONFIG_SEPARATE) TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &planes);
    const std::uint64_t piece = TIFFIsTiled(tiff) ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
    const auto most = static_cast<std::uint64_t>(limits::kPhotographMemory);
    return static_cast<std::int64_t>(std::min(piece, most) * std::max<std::uint16_t>(planes, 1));
}

}  // namespace

std::optional<TiffHeader> tiff_header(Bytes file) {
    Reader reader{file};
    const TiffPointer tiff = open_tiff(reader);
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    if (!tiff || !TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width) ||
        !TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height))
        return std::nullopt;
    std::uint16_t orientation = 1;
    if (!TIFFGetField(tiff.get(), TIFFTAG_ORIENTATION, &orientation) || orientation < 1 || orientation > 8)
        orientation = 1;
    TiffHeader header{{width, height, 4}, orientation};
    // Refused for its size anyhow, and its sides may be too large to be multiplied.
    if (width > limits::kPhotographSide || height > limits::kPhotographSide) return header;
    const std::int64_t pixels = std::max<std::int64_t>(1, header.size.width * header.size.height);
    header.size.bytes_per_pixel += (strip_bytes(tiff.get()) + pixels - 1) / pixels;
    return header;
}

Result<Frame> decode_tiff(Bytes file, const std::string& name) {
    Reader reader{file};
    const TiffPointer tiff = open_tiff(reader);
    const std::optional<TiffHeader> header = tiff_header(file);
    if (!tiff || !header) return damaged(name, "TIFF");
    char reason[1024] = "";
    if (!TIFFRGBAImageOK(tiff.get(), reason))
        return Error{ErrorCode::MalformedFile,
                     name +
                         " is a kind of TIFF picture that is not supported; save it with 8 or "
                         "16 bits a channel."};
    // Rows in the order of the file: upright() turns the picture as it does for every other format.
    TIFFSetField(tiff.get(), TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    const int width = static_cast<int>(header->size.width);
    const int height = static_cast<int>(header->size.height);
    std::vector<std::uint8_t> raster(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4);
    if (!TIFFReadRGBAImageOriented(tiff.get(), static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height),
                                   reinterpret_cast<std::uint32_t*>(raster.data()), ORIENTATION_TOPLEFT, 1))
        return damaged(name, "TIFF");
    return packed(std::move(raster), width, height, join_premultiplied);
}

}  // namespace mirror::face
