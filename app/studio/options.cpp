#include "app/studio/options.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QRegularExpression>

#include "engine/core/utf8.h"

namespace mirror::app {

namespace {

Error wrongUsage(const QString& sentence) {
    return {ErrorCode::InvalidRequest, escape_for_message(sentence.toStdString())};
}

// Without the options that Qt takes for itself: the display, the platform and so on, with one dash or two.
QStringList withoutQtOptions(const QStringList& arguments) {
    static const QRegularExpression withValue(QStringLiteral(
        "^--?(platform|platformpluginpath|platformtheme|plugin|qwindowgeometry|qwindowicon|qwindowtitle|geometry|"
        "icon|title|style|stylesheet|session|display|qmljsdebugger)(=.*)?$"));
    static const QRegularExpression alone(QStringLiteral("^--?(reverse|widgetcount|nograb|dograb|sync)$"));
    QStringList own;
    for (int i = 0; i < arguments.size(); ++i) {
        const QRegularExpressionMatch qts = withValue.match(arguments[i]);
        if (qts.hasMatch()) {
            if (qts.captured(2).isEmpty()) ++i;
        } else if (!alone.match(arguments[i]).hasMatch()) {
            own.append(arguments[i]);
        }
    }
    return own;
}

void addOptions(QCommandLineParser& parser) {
    parser.setApplicationDescription(QStringLiteral("Makes videos of a person from photographs and a prompt."));
    parser.addOptions({
        {"model", "Checkpoint folder to begin with.", "DIR"},
        {"photo", "A photograph of the person; may be given several times.", "FILE"},
        {"prompt", "The prompt to begin with.", "TEXT"},
        {"device", "Where runs happen: cpu, cuda or cuda:N.", "DEVICE", "cpu"},
        {"precision", "fp32 or bf16.", "TYPE", "fp32"},
        {"appearance", "dark, light or system; without it, as the last time.", "WORD"},
        {{"h", "help"}, "Show this help."},
        {"version", "Show the version."},
    });
    parser.addPositionalArgument(QStringLiteral("photographs"), QStringLiteral("More photographs of the person."),
                                 QStringLiteral("[FILE...]"));
}

Status readPlace(const QCommandLineParser& parser, ui::RunPlace& place) {
    static const QRegularExpression devices(QStringLiteral("^(cpu|cuda(:\\d{1,3})?)$"));
    const QString device = parser.value(QStringLiteral("device"));
    if (!devices.match(device).hasMatch()) return wrongUsage("--device is cpu, cuda or cuda:N, not '" + device + "'.");
    const QString precision = parser.value(QStringLiteral("precision"));
    if (precision != "fp32" && precision != "bf16") {
        return wrongUsage("--precision is fp32 or bf16, not '" + precision + "'.");
    }
    place.device = device.toStdString();
    place.precision = precision == "bf16" ? Precision::Bf16 : Precision::Fp32;
    return success();
}

Status readAppearance(const QCommandLineParser& parser, StudioOptions& options) {
    if (!parser.isSet(QStringLiteral("appearance"))) return success();
    const QString word = parser.value(QStringLiteral("appearance"));
    const QStringList words{"system", "dark", "light"};  // In the order of ThemeChoice.
    if (!words.contains(word)) return wrongUsage("--appearance is dark, light or system, not '" + word + "'.");
    options.appearance = static_cast<ui::ThemeChoice>(words.indexOf(word));
    return success();
}

}  // namespace

Result<StudioOptions> readOptions(const QStringList& arguments) {
    QCommandLineParser parser;
    addOptions(parser);
    if (!parser.parse(withoutQtOptions(arguments))) return wrongUsage(parser.errorText());
    StudioOptions options;
    if (parser.isSet(QStringLiteral("help"))) {
        options.printed = parser.helpText();
    } else if (parser.isSet(QStringLiteral("version"))) {
        options.printed = QCoreApplication::applicationName() + ' ' + QCoreApplication::applicationVersion() + '\n';
    }
    if (const Status place = readPlace(parser, options.place); !place) return place.error();
    if (const Status appearance = readAppearance(parser, options); !appearance) return appearance.error();
    options.model = parser.value(QStringLiteral("model"));
    options.photos = parser.values(QStringLiteral("photo")) + parser.positionalArguments();
    options.prompt = parser.value(QStringLiteral("prompt"));
    return options;
}

}  // namespace mirror::app
