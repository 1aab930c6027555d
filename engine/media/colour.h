#pragma once

// Between packed RGB and the planes of video codecs, with the matrix and the range that the file states.

#include "engine/core/frame.h"
#include "engine/media/ffmpeg.h"

namespace mirror::media {

// RGB -> yuv420p, bt709, limited range: what Mp4 files of this program hold.
class VideoEncoderColours {
public:
    VideoEncoderColours(int width, int height);

    // `picture` has the size and writable planes.
    void convert(const Frame& frame, AVFrame& picture) const;

private:
    Scaler scaler_;
};

// A decoded picture -> RGB. Unstated matrices are guessed by height as players do; false if FFmpeg cannot convert it.
bool to_rgb(const AVFrame& picture, Frame& frame);

// `quarters` quarter turns clockwise, 0 to 3.
Frame turned(Frame frame, int quarters);

}  // namespace mirror::media
