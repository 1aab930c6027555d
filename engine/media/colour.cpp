#include "engine/media/colour.h"

#include <cstring>
#include <utility>

#include "engine/core/result.h"

namespace mirror::media {
namespace {

constexpr int exact = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;
constexpr int neutral = 1 << 16;
constexpr int first_hd_height = 720;

Frame empty_frame(int width, int height) {
    Frame frame{width, height, {}};
    frame.rgb.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    return frame;
}

int matrix_of(const AVFrame& picture) {
    switch (picture.colorspace) {
        case AVCOL_SPC_BT709:
            return SWS_CS_ITU709;
        case AVCOL_SPC_FCC:
            return SWS_CS_FCC;
        case AVCOL_SPC_BT470BG:
        case AVCOL_SPC_SMPTE170M:
            return SWS_CS_ITU601;
        case AVCOL_SPC_SMPTE240M:
            return SWS_CS_SMPTE240M;
        case AVCOL_SPC_BT2020_NCL:
        case AVCOL_SPC_BT2020_CL:
            return SWS_CS_BT2020;
        default:
            return picture.height >= first_hd_height ? SWS_CS_ITU709 : SWS_CS_ITU601;
    }
}

bool is_full_range(const AVFrame& picture) {
    if (picture.color_range == AVCOL_RANGE_JPEG) return true;
    switch (picture.format) {
        case AV_PIX_FMT_YUVJ420P:
        case AV_PIX_FMT_YUVJ422P:
        case AV_PIX_FMT_YUVJ444P:
        case AV_PIX_FMT_YUVJ440P:
            return true;
        default:
            return false;
    }
}

}  // namespace

VideoEncoderColours::VideoEncoderColours(int width, int height)
    : scaler_(sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P, exact, nullptr,
                             nullptr, nullptr)) {
    const int* matrix = sws_getCoefficients(SWS_CS_ITU709);
    if (!scaler_ || sws_setColorspaceDetails(scaler_.get(), matrix, 1, matrix, 0, 0, neutral, neutral) < 0)
        throw EngineError(ErrorCode::WriteFailed, "The video's colours cannot be converted at this size.");
}

void VideoEncoderColours::convert(const Frame& frame, AVFrame& picture) const {
    const std::uint8_t* const planes[4] = {frame.rgb.data(), nullptr, nullptr, nullptr};
    const int strides[4] = {frame.width * 3, 0, 0, 0};
    sws_scale(scaler_.get(), planes, strides, 0, frame.height, picture.data, picture.linesize);
}

bool to_rgb(const AVFrame& picture, Frame& frame) {
    const auto format = static_cast<AVPixelFormat>(picture.format);
    const Scaler scaler(sws_getContext(picture.width, picture.height, format, picture.width, picture.height,
                                       AV_PIX_FMT_RGB24, exact, nullptr, nullptr, nullptr));
    if (!scaler) return false;
    const int* matrix = sws_getCoefficients(matrix_of(picture));
    // Fails for formats without a matrix, such as RGB and grey, which need none.
    sws_setColorspaceDetails(scaler.get(), matrix, is_full_range(picture), matrix, 1, 0, neutral, neutral);
    frame = empty_frame(picture.width, picture.height);
    std::uint8_t* const planes[4] = {frame.rgb.data(), nullptr, nullptr, nullptr};
    const int strides[4] = {frame.width * 3, 0, 0, 0};
    return sws_scale(scaler.get(), picture.data, picture.linesize, 0, picture.height, planes, strides) ==
           picture.height;
}

Frame turned(Frame frame, int quarters) {
    if (quarters == 0) return frame;
    const bool sideways = quarters % 2 == 1;
    Frame result = sideways ? empty_frame(frame.height, frame.width) : empty_frame(frame.width, frame.height);
    for (int y = 0; y < result.height; ++y) {
        std::uint8_t* target = result.row(y);
        for (int x = 0; x < result.width; ++x, target += 3) {
            const int column = quarters == 1 ? y : quarters == 2 ? frame.width - 1 - x : frame.width - 1 - y;
            const int line = quarters == 1 ? frame.height - 1 - x : quarters == 2 ? frame.height - 1 - y : x;
            std::memcpy(target, frame.row(line) + 3 * column, 3);
        }
    }
    return result;
}

}  // namespace mirror::media
