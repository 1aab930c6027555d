// generate and image: from photographs and a sentence to a file.

#include <memory>

#include "app/cli/command.h"
#include "app/cli/generation_options.h"
#include "app/cli/option_values.h"
#include "app/cli/run_observer.h"
#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/face/face_reader.h"
#include "engine/media/mp4_sink.h"
#include "engine/media/png_sink.h"
#include "engine/session/output_rules.h"
#include "engine/session/session.h"

namespace mirror::cli {

namespace {

std::vector<std::filesystem::path> files_read_by(const GenerationRequest& request) {
    std::vector<std::filesystem::path> files = engine::files_of_model(request.model);
    for (const ReferencePhoto& photo : request.references) files.push_back(photo.file);
    if (!request.adapter.empty())
        for (const auto& file : engine::files_of_adapter(request.adapter)) files.push_back(file);
    return files;
}

void check_outputs(const GenerationOptions& options, const GenerationRequest& request) {
    auto inputs = files_read_by(request);
    value_or_throw(engine::check_output(options.output, inputs));
    if (options.latents.empty()) return;
    inputs.emplace_back(options.output);
    value_or_throw(engine::check_output(options.latents, inputs));
    if (engine::place_of(options.latents) == engine::place_of(options.output))
        throw UsageError("--latents and --output name the same file");
}

// Whatever is wrong with the command line alone is said before any file is looked at.
void check_usage(GenerationOptions options, OutputKind kind) {
    check_output_name(options.output, kind);
    if (options.model.empty()) options.model = "pocket";
    make_request(options, kind, {});
}

std::string description_of(const GenerationRequest& request) {
    const VideoSpec& video = request.video;
    const std::string size = std::to_string(video.width) + "x" + std::to_string(video.height);
    return request.kind == OutputKind::Image ? size : std::to_string(video.frames) + " frames, " + size;
}

void run_generate(const GenerationOptions& options, OutputKind kind, Invocation& invocation) {
    invocation.json = options.json;
    const Report report = options.json ? Report::Json : Report::Text;
    check_usage(options, kind);
    GenerationOptions found = options;
    found.model = model_folder(options.model).string();
    const GenerationRequest request = make_request(found, kind, value_or_throw(engine::read_model_info(found.model)));
    check_outputs(options, request);
    if (!options.preview_folder.empty()) value_or_throw(make_folders(options.preview_folder));

    const auto session = engine::open_session(face::make_face_reader());
    const auto sink =
        kind == OutputKind::Image ? media::make_png_sink(options.output) : media::make_mp4_sink(options.output);
    PreviewFolder previews{options.preview_folder, files_read_by(request)};
    for (const std::string& written : {options.output, options.latents}) previews.files.emplace_back(written);
    const Observer observer = make_observer(invocation, report, previews);
    if (options.method == Method::None && !options.references.empty())
        observer.tell(Notice{"--reference is not looked at with --method none"});
    const auto finished =
        value_or_throw(session->generate(request, {options.latents}, *sink, observer, invocation.stop));
    report_done(invocation, report, {options.output, description_of(request), finished});
}

void add_command(CLI::App& program, Action& chosen, OutputKind kind) {
    const bool image = kind == OutputKind::Image;
    CLI::App* command = program.add_subcommand(image ? "image" : "generate",
                                               image ? "Make a picture of a person" : "Make a video of a person");
    const auto options = std::make_shared<GenerationOptions>();
    add_generation_options(*command, *options, kind);
    command->callback([options, kind, &chosen] {
        chosen = [options, kind](Invocation& invocation) { run_generate(*options, kind, invocation); };
    });
}

}  // namespace

void add_generate_commands(CLI::App& program, Action& chosen) {
    add_command(program, chosen, OutputKind::Video);
    add_command(program, chosen, OutputKind::Image);
}

}  // namespace mirror::cli
