#include "tests/ui/fake_engine_client.h"

namespace mirror::ui {

QUuid FakeEngineClient::submit(const GenerationRequest& wanted, const QString& file) {
    ++submissions;
    job = QUuid::createUuid();
    request = wanted;
    target = file;
    waiting_ = nullptr;
    return job;
}

SharedPreview FakeEngineClient::takePreview(const QUuid& asked) {
    if (asked != job) return nullptr;
    ++takenPreviews;
    return std::exchange(waiting_, nullptr);
}

void FakeEngineClient::answerModel(const ModelCard& card) {
    ModelCard answer = card;
    answer.folder = askedModels.last();
    if (answer.name.isEmpty()) answer.name = QStringLiteral("tiny");
    Q_EMIT modelInspected(answer.folder, answer);
}

void FakeEngineClient::answerPhoto(const SharedPhoto& photo) { Q_EMIT photoInspected(askedPhotos.last(), photo); }

void FakeEngineClient::tell(Stage stage, int step, int steps, double secondsLeft) {
    Q_EMIT progressed(job, {stage, step, steps, secondsLeft});
}

void FakeEngineClient::preview(const SharedPreview& clip) {
    const bool told = std::exchange(waiting_, clip) != nullptr;
    if (!told) Q_EMIT previewReady(job);
}

void FakeEngineClient::finish(bool randomWeights) {
    TakeReport report;
    report.file = target;
    report.stepsRun = 4;
    report.seconds = 1.5;
    report.randomWeights = randomWeights;
    Q_EMIT finished(job, report);
}

Frame plainFrame(int width, int height, const QColor& color) {
    Frame frame{width, height, {}};
    frame.rgb.reserve(static_cast<std::size_t>(width) * height * 3);
    for (int i = 0; i < width * height; ++i) {
        for (const int part : {color.red(), color.green(), color.blue()}) {
            frame.rgb.push_back(static_cast<std::uint8_t>(part));
        }
    }
    return frame;
}

SharedPhoto photoWithFaces(int faces, int width, int height) {
    auto photo = std::make_shared<InspectedPhoto>();
    photo->found.width = width;
    photo->found.height = height;
    photo->picture = plainFrame(width, height, QColor(120, 110, 100));
    for (int i = 0; i < faces; ++i) {
        const double left = width * (i + 0.25) / faces;
        const double side = std::min(width / (2.0 * faces), height / 2.0);
        FaceBox face{left, height / 4.0, left + side, height / 4.0 + side, 0.9, {}};
        const std::pair<double, double> marks[] = {{0.3, 0.4}, {0.7, 0.4}, {0.5, 0.6}, {0.35, 0.8}, {0.65, 0.8}};
        for (std::size_t k = 0; k < face.landmarks.size(); ++k) {
            face.landmarks[k] = {left + marks[k].first * side, face.y0 + marks[k].second * side};
        }
        photo->found.faces.push_back(face);
        photo->crops.push_back(
            {plainFrame(112, 112, QColor(200, 150, 120)), plainFrame(224, 224, QColor(180, 140, 110))});
        photo->squares.push_back(
            {static_cast<int>(left - side / 2), static_cast<int>(face.y0 - side / 2), static_cast<int>(2 * side)});
    }
    return photo;
}

SharedPreview previewOf(const QColor& color, int frames, double framesPerSecond, int step) {
    auto preview = std::make_shared<PreviewClip>();
    preview->step = step;
    preview->steps = 4;
    preview->frames_per_second = framesPerSecond;
    preview->frames.assign(static_cast<std::size_t>(frames), plainFrame(90, 60, color));
    return preview;
}

SharedClip clipOf(const QColor& color, int frames, const QString& file) {
    auto clip = std::make_shared<LoadedClip>();
    clip->file = file;
    for (int i = 0; i < frames; ++i) clip->frames.push_back(plainFrame(96, 64, color.lighter(100 + i)));
    return clip;
}

}  // namespace mirror::ui
