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
    constexpr int kLossless = 2;
    // An animation is put together on two canvases of four bytes, and what is lossless has such a one inside libwebp.
    constexpr std::int64_t kAnimation = 3 + 4 + 4 + 4;
    WebPBitstreamFeatures features;
    const bool known = WebPGetFeatures(file.data(), file.size(), &features) == VP8_STATUS_OK;
    std::int64_t memory = kAnimation;
    if (known && !features.has_animation)
        memory = (features.has_alpha ? 5 : 3) + (features.format == kLossless ? 4 : 0);
    // An extended header comes first and states the canvas; libwebp would need more of the file to say it.
    if (has_text(file, 12, "VP8X") && file.size() >= 30)
        return PictureSize{little24(file, 24) + std::int64_t{1}, little24(file, 27) + std::int64_t{1}, memory};
    if (!known) return std::nullopt;
    return PictureSize{features.width, features.height, memory};
}

Result<Frame> decode_webp(Bytes file, const std::string& name) {
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) return damaged(name, "WebP");
    if (features.has_animation) return decode_animation(file, name);
    if (!features.has_alpha) {
        Frame frame = make_frame(features.width, features.height);
        if (!WebPDecodeRGBInto(file.data(), file.size(), frame.rgb.data(), frame.rgb.size(), features.width * 3))
            return damaged(name, "WebP");
        return frame;
    }
    std::vector<std::uint8_t> rgba(static_cast<std::size_t>(features.width) *
                                   static_cast<std::size_t>(features.height) * 4);
    if (!WebPDecodeRGBAInto(file.data(), file.size(), rgba.data(), rgba.size(), features.width * 4))
        return damaged(name, "WebP");
    return packed(std::move(rgba), features.width, features.height, join_on_white);
}

}  // namespace mirror::face
