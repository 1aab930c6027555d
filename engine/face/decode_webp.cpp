#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "engine/core/limits.h"
#include "engine/face/picture_decoders.h"

namespace mirror::face {
namespace {

Frame without_alpha(const std::uint8_t* rgba, int width, int height) {
    Frame frame = make_frame(width, height);
    const std::size_t count = frame.rgb.size() / 3;
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t c = 0; c < 3; ++c) frame.rgb[3 * i + c] = on_white(rgba[4 * i + c], rgba[4 * i + 3]);
    return frame;
}

// The first picture of an animation, placed on its canvas.
Result<Frame> decode_animation(Bytes file, const std::string& name) {
    WebPAnimDecoderOptions options;
    if (!WebPAnimDecoderOptionsInit(&options)) return damaged(name, "WebP");
    options.color_mode = MODE_RGBA;
    const WebPData data{file.data(), file.size()};
    const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(WebPAnimDecoderNew(&data, &options),
                                                                               WebPAnimDecoderDelete);
    WebPAnimInfo info;
    std::uint8_t* rgba = nullptr;
    int time = 0;
    if (!decoder || !WebPAnimDecoderGetInfo(decoder.get(), &info) ||
        !WebPAnimDecoderGetNext(decoder.get(), &rgba, &time))
        return damaged(name, "WebP");
    return without_alpha(rgba, static_cast<int>(info.canvas_width), static_cast<int>(info.canvas_height));
}

}  // namespace

std::optional<PictureSize> webp_size(Bytes file) {
    // An extended header comes first and states the canvas; libwebp would need more of the file to say it.
    if (has_text(file, 12, "VP8X") && file.size() >= 30)
        return PictureSize{little24(file, 24) + std::int64_t{1}, little24(file, 27) + std::int64_t{1}};
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) return std::nullopt;
    return PictureSize{features.width, features.height};
}

Result<Frame> decode_webp(Bytes file, const std::string& name) {
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) return damaged(name, "WebP");
    if (features.has_animation) return decode_animation(file, name);
    int width = 0;
    int height = 0;
    if (!features.has_alpha) {
        Frame frame = make_frame(features.width, features.height);
        if (!WebPDecodeRGBInto(file.data(), file.size(), frame.rgb.data(), frame.rgb.size(), features.width * 3))
            return damaged(name, "WebP");
        return frame;
    }
    const std::unique_ptr<std::uint8_t, void (*)(void*)> rgba(WebPDecodeRGBA(file.data(), file.size(), &width, &height),
                                                              WebPFree);
    if (!rgba) return damaged(name, "WebP");
    return without_alpha(rgba.get(), width, height);
}

}  // namespace mirror::face
