#include <png.h>

#include <cstring>

#include "engine/core/limits.h"
#include "engine/face/picture_decoders.h"

namespace mirror::face {
namespace {

struct Reader {
    Bytes file;
    std::size_t at = 0;
};

struct Decoder {
    Decoder(png_error_ptr on_error, png_error_ptr on_warning)
        : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, on_error, on_warning)),
          info(png ? png_create_info_struct(png) : nullptr) {}
    ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    png_structp png;
    png_infop info;
};

void leave(png_structp png, png_const_charp) { png_longjmp(png, 1); }
void print_nothing(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep target, png_size_t count) {
    Reader& reader = *static_cast<Reader*>(png_get_io_ptr(png));
    if (count > reader.file.size() - reader.at) png_error(png, "end of file");
    std::memcpy(target, reader.file.data() + reader.at, count);
    reader.at += count;
}

// All the storage that decoding needs, outside of the function that libpng leaves through longjmp.
struct Pixels {
    std::vector<std::uint8_t> data;
    std::vector<png_bytep> rows;
    int width = 0;
    int height = 0;
    int channels = 0;
};

bool decode_pixels(png_structp png, png_infop info, Pixels& pixels) {
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_user_limits(png, limits::kPhotographSide, limits::kPhotographSide);
    png_set_chunk_malloc_max(png, 16u << 20);
    png_set_chunk_cache_max(png, 1);  // None: each text is small enough for that limit, but there may be a thousand.
    png_set_crc_action(png, PNG_CRC_DEFAULT, PNG_CRC_WARN_DISCARD);
    png_read_info(png, info);
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    pixels.width = static_cast<int>(png_get_image_width(png, info));
    pixels.height = static_cast<int>(png_get_image_height(png, info));
    pixels.channels = png_get_channels(png, info);
    const std::size_t stride = png_get_rowbytes(png, info);
    pixels.data.resize(stride * static_cast<std::size_t>(pixels.height));
    pixels.rows.resize(static_cast<std::size_t>(pixels.height));
    for (std::size_t y = 0; y < pixels.rows.size(); ++y) pixels.rows[y] = pixels.data.data() + y * stride;
    png_read_image(png, pixels.rows.data());
    return true;
}

}  // namespace

std::optional<PictureSize> png_size(Bytes file) {
    if (!has_text(file, 12, "IHDR")) return std::nullopt;
    return PictureSize{big32(file, 16), big32(file, 20), 4};
}

Result<Frame> decode_png(Bytes file, const std::string& name) {
    const Decoder decoder(leave, print_nothing);
    if (!decoder.info) return Error{ErrorCode::OutOfMemory, name + " needs more memory than there is."};
    Reader reader{file};
    png_set_read_fn(decoder.png, &reader, read_bytes);
    Pixels pixels;
    const bool decoded = decode_pixels(decoder.png, decoder.info, pixels);
    if (!decoded || (pixels.channels != 3 && pixels.channels != 4)) return damaged(name, "PNG");
    if (pixels.channels == 4) return packed(std::move(pixels.data), pixels.width, pixels.height, join_on_white);
    Frame frame;
    frame.width = pixels.width;
    frame.height = pixels.height;
    frame.rgb = std::move(pixels.data);
    return frame;
}

}  // namespace mirror::face
