// decode: makes the video of saved latents again.

#include <memory>

#include "app/cli/command.h"
#include "app/cli/generation_options.h"
#include "app/cli/option_values.h"
#include "app/cli/run_observer.h"
#include "engine/core/result.h"
#include "engine/face/face_reader.h"
#include "engine/media/mp4_sink.h"
#include "engine/media/png_sink.h"
#include "engine/session/output_rules.h"
#include "engine/session/session.h"

namespace mirror::cli {

namespace {

struct DecodeOptions {
    std::string latents;
    std::string output;
    std::string model;
    std::string device = "cpu";
    std::optional<Precision> precision;
    bool json = false;
};

void run_decode(const DecodeOptions& options, Invocation& invocation) {
    invocation.json = options.json;
    const Report report = options.json ? Report::Json : Report::Text;
    const OutputKind kind = output_kind(options.output);
    check_output_name(options.output, kind);
    const auto model = model_folder(options.model);
    auto inputs = engine::files_of_model(model);
    inputs.emplace_back(options.latents);
    value_or_throw(engine::check_output(options.output, inputs));

    const auto sink =
        kind == OutputKind::Image ? media::make_png_sink(options.output) : media::make_mp4_sink(options.output);
    const auto session = engine::open_session(face::make_face_reader());
    const Precision precision = options.precision.value_or(options.device == "cpu" ? Precision::Fp32 : Precision::Bf16);
    const Observer observer = make_observer(invocation, report, {});
    const auto finished = value_or_throw(
        session->decode(options.latents, model, options.device, precision, *sink, observer, invocation.stop));
    report_done(invocation, report, {options.output, "from saved latents", finished});
}

}  // namespace

void add_decode_command(CLI::App& program, Action& chosen) {
    CLI::App* command = program.add_subcommand("decode", "Make the video of saved latents again");
    const auto options = std::make_shared<DecodeOptions>();
    add_value(*command, "latents", "The latents that generate saved", [options](const std::string& text) {
        options->latents = text;
    })->required();
    add_value(*command, "-o,--output", "The video (MP4), or the picture (PNG)", [options](const std::string& text) {
        options->output = text;
    })->required();
    add_value(*command, "--model", "The checkpoint folder that made them", [options](const std::string& text) {
        options->model = text;
    })->required();
    add_value(*command, "--device", "cpu, cuda or cuda:N (cpu)",
              [options](const std::string& text) { options->device = device_value("--device", text); });
    add_value(*command, "--precision", "fp32 or bf16 (fp32 on the CPU, bf16 on a GPU)",
              [options](const std::string& text) { options->precision = precision_value("--precision", text); });
    add_switch(*command, "--json", "Report progress and the result as one JSON object a line", options->json);
    command->callback(
        [options, &chosen] { chosen = [options](Invocation& invocation) { run_decode(*options, invocation); }; });
}

}  // namespace mirror::cli
