#include "engine/media/mp4_writer.h"

#include <algorithm>
#include <utility>

#include "engine/core/result.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace mirror::media {
namespace {

// Frames between full ones: at most a second, so that a player finds any moment quickly.
int frames_per_second(const FrameRate& rate) { return std::max(1, rate.numerator / rate.denominator); }

}  // namespace

void Mp4Writer::FormatCloser::operator()(AVFormatContext* format) const {
    if (format->pb) avio_closep(&format->pb);
    avformat_free_context(format);
}

Mp4Writer::Mp4Writer(const std::filesystem::path& file, const Mp4Settings& settings, std::string shown)
    : shown_(std::move(shown)),
      colours_(settings.width, settings.height),
      picture_(av_frame_alloc()),
      packet_(av_packet_alloc()) {
    open_encoder(settings);
    open_file(file, settings);
    picture_->format = encoder_->pix_fmt;
    picture_->width = settings.width;
    picture_->height = settings.height;
    check(av_frame_get_buffer(picture_.get(), 0));
}

Mp4Writer::~Mp4Writer() = default;

void Mp4Writer::check(int code) const {
    if (code < 0)
        throw EngineError(ErrorCode::WriteFailed,
                          shown_ + " could not be written: " + describe_ffmpeg_error(code) + ".");
}

void Mp4Writer::open_encoder(const Mp4Settings& settings) {
    const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
    if (!codec)
        throw EngineError(ErrorCode::WriteFailed,
                          shown_ + " could not be written: this FFmpeg has no H.264 encoder (libx264).");
    encoder_.reset(avcodec_alloc_context3(codec));
    encoder_->width = settings.width;
    encoder_->height = settings.height;
    encoder_->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder_->time_base = {settings.rate.denominator, settings.rate.numerator};
    encoder_->framerate = {settings.rate.numerator, settings.rate.denominator};
    encoder_->sample_aspect_ratio = {1, 1};
    encoder_->gop_size = frames_per_second(settings.rate);
    encoder_->color_range = AVCOL_RANGE_MPEG;
    encoder_->color_primaries = AVCOL_PRI_BT709;
    encoder_->color_trc = AVCOL_TRC_BT709;
    encoder_->colorspace = AVCOL_SPC_BT709;
    encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    Options options;
    options.set("crf", std::to_string(settings.quality));
    options.set("preset", "medium");
    // On small pictures the encoder's macroblock tree reads memory that nobody wrote (seen with x264 164), so that
    // equal frames gave different files; without it they give equal ones.
    options.set("x264-params", "mbtree=0");
    check(avcodec_open2(encoder_.get(), codec, options.get()));
}

void Mp4Writer::open_file(const std::filesystem::path& file, const Mp4Settings& settings) {
    AVFormatContext* format = nullptr;
    const std::string url = ffmpeg_url(file);
    check(avformat_alloc_output_context2(&format, nullptr, "mp4", url.c_str()));
    format_.reset(format);
    stream_ = avformat_new_stream(format, nullptr);
    if (!stream_) check(AVERROR(ENOMEM));
    stream_->time_base = encoder_->time_base;
    stream_->avg_frame_rate = encoder_->framerate;
    check(avcodec_parameters_from_context(stream_->codecpar, encoder_.get()));
    if (!settings.recipe.empty()) av_dict_set(&format->metadata, "comment", settings.recipe.c_str(), 0);
    check(avio_open2(&format->pb, url.c_str(), AVIO_FLAG_WRITE, nullptr, nullptr));
    Options options;
    options.set("movflags", "+faststart");
    check(avformat_write_header(format, options.get()));
}

void Mp4Writer::write(const Frame& frame) {
    check(av_frame_make_writable(picture_.get()));
    colours_.convert(frame, *picture_);
    picture_->pts = frames_;
    encode(picture_.get());
    ++frames_;
}

void Mp4Writer::encode(const AVFrame* picture) {
    check(avcodec_send_frame(encoder_.get(), picture));
    for (;;) {
        const int got = avcodec_receive_packet(encoder_.get(), packet_.get());
        if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) return;
        check(got);
        packet_->duration = 1;
        av_packet_rescale_ts(packet_.get(), encoder_->time_base, stream_->time_base);
        packet_->stream_index = stream_->index;
        check(av_interleaved_write_frame(format_.get(), packet_.get()));
        check(format_->pb->error);
    }
}

void Mp4Writer::close() {
    encode(nullptr);
    check(av_write_trailer(format_.get()));
    avio_flush(format_->pb);
    const int written = format_->pb->error;
    const int closed = avio_closep(&format_->pb);
    check(written);
    check(closed);
}

}  // namespace mirror::media
