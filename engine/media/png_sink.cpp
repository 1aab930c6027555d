#include "engine/media/png_sink.h"

#include <png.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/core/limits.h"
#include "engine/core/utf8.h"

namespace mirror::media {
namespace {

void leave(png_structp png, png_const_charp) { png_longjmp(png, 1); }
void print_nothing(png_structp, png_const_charp) {}
void flush_nothing(png_structp) {}

void append_bytes(png_structp png, png_bytep bytes, png_size_t count) {
    static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
}

struct Encoder {
    Encoder()
        : png(png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, leave, print_nothing)),
          info(png ? png_create_info_struct(png) : nullptr) {}
    ~Encoder() { png_destroy_write_struct(&png, &info); }
    Encoder(const Encoder&) = delete;
    Encoder& operator=(const Encoder&) = delete;

    png_structp png;
    png_infop info;
};

// Only trivially destructible locals here: libpng leaves through longjmp.
bool encode(const Encoder& encoder, const Frame& picture, png_text* recipe) {
    if (setjmp(png_jmpbuf(encoder.png))) return false;
    png_set_IHDR(encoder.png, encoder.info, static_cast<png_uint_32>(picture.width),
                 static_cast<png_uint_32>(picture.height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(encoder.png, encoder.info, PNG_sRGB_INTENT_PERCEPTUAL);
    if (recipe) png_set_text(encoder.png, encoder.info, recipe, 1);
    png_write_info(encoder.png, encoder.info);
    for (int y = 0; y < picture.height; ++y) png_write_row(encoder.png, picture.row(y));
    png_write_end(encoder.png, nullptr);
    return true;
}

std::optional<std::string> png_bytes(const Frame& picture, const std::string& recipe) {
    const Encoder encoder;
    if (!encoder.info) return std::nullopt;
    std::string bytes;
    png_set_write_fn(encoder.png, &bytes, append_bytes, flush_nothing);
    std::string keyword = png_recipe_keyword;
    std::string value = recipe;
    png_text text{};
    text.compression = PNG_ITXT_COMPRESSION_NONE;  // International text is UTF-8.
    text.key = keyword.data();
    text.text = value.data();
    text.itxt_length = value.size();
    if (!encode(encoder, picture, recipe.empty() ? nullptr : &text)) return std::nullopt;
    return bytes;
}

std::uint32_t big32(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

// The text of an iTXt chunk with our keyword: keyword 0 compressed method language 0 translation 0 text.
std::optional<std::string> recipe_of(const std::string& chunk) {
    const std::string start = std::string(png_recipe_keyword) + '\0' + '\0' + '\0';
    if (chunk.compare(0, start.size(), start) != 0) return std::nullopt;
    const std::size_t language = chunk.find('\0', start.size());
    if (language == std::string::npos) return std::nullopt;
    const std::size_t translation = chunk.find('\0', language + 1);
    if (translation == std::string::npos) return std::nullopt;
    return chunk.substr(translation + 1);
}

class PngSink : public VideoSink {
public:
    explicit PngSink(std::filesystem::path file) : file_(std::move(file)), shown_(path_for_message(file_.filename())) {}

    void begin(const VideoSpec& spec, const std::string& recipe) override {
        if (spec.frames > 1) fail("could not be written: a picture has only one frame.");
        spec_ = spec;
        recipe_ = recipe;
        picture_.reset();
        // A folder that cannot be written is better found now than after the picture was made.
        value_or_throw(TemporaryFile::create_beside(file_));
    }

    void write(const Frame& frame) override {
        if (picture_) fail("could not be written: a picture has only one frame.");
        if (frame.width != spec_.width || frame.height != spec_.height)
            fail("could not be written: the frame has another size.");
        picture_ = frame;
    }

    void finish() override {
        if (!picture_) fail("could not be written: there is no frame.");
        value_or_throw(write_png(file_, *picture_, recipe_));
        picture_.reset();
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw EngineError(ErrorCode::WriteFailed, shown_ + " " + what);
    }

    std::filesystem::path file_;
    std::string shown_;
    VideoSpec spec_;
    std::string recipe_;
    std::optional<Frame> picture_;
};

}  // namespace

std::unique_ptr<VideoSink> make_png_sink(std::filesystem::path file) {
    return std::make_unique<PngSink>(std::move(file));
}

Status write_png(const std::filesystem::path& file, const Frame& picture, const std::string& recipe) {
    const std::string shown = path_for_message(file.filename());
    const std::size_t bytes = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) * 3;
    if (picture.width < 1 || picture.height < 1 || picture.rgb.size() != bytes)
        return Error{ErrorCode::WriteFailed, shown + " could not be written: the picture has no pixels."};
    const std::optional<std::string> encoded = png_bytes(picture, recipe);
    if (!encoded) return Error{ErrorCode::WriteFailed, shown + " could not be written: it cannot be encoded as PNG."};
    return durable_replace(file, *encoded);
}

Result<std::string> read_png_recipe(const std::filesystem::path& file) {
    const std::string shown = path_for_message(file.filename());
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored))
        return Error{ErrorCode::MissingFile, shown + " is not a file that can be read."};
    std::ifstream stream(file, std::ios::binary);
    std::string header(8, '\0');
    if (!stream.read(header.data(), 8) || header != "\x89PNG\r\n\x1A\n")
        return Error{ErrorCode::MalformedFile, shown + " is not a PNG picture."};
    while (stream.read(header.data(), 8)) {
        const std::uint32_t length = big32(header, 0);
        const bool text = header.compare(4, 4, "iTXt") == 0;
        if (text && length <= limits::kConfigBytes) {
            std::string chunk(length, '\0');
            if (!stream.read(chunk.data(), length)) break;
            if (auto recipe = recipe_of(chunk)) return *recipe;
            stream.seekg(4, std::ios::cur);
        } else {
            stream.seekg(static_cast<std::streamoff>(length) + 4, std::ios::cur);
        }
    }
    return std::string();
}

}  // namespace mirror::media
