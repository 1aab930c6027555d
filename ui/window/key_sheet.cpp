#include "ui/window/key_sheet.h"

#include <QGridLayout>
#include <utility>

#include "ui/widgets/labels.h"

namespace mirror::ui {

KeySheet::KeySheet(QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keys"));
    const std::pair<QString, QString> keys[] = {
        {tr("Ctrl+Return"), tr("Generate")},
        {tr("Esc"), tr("Cancel the take that is being made")},
        {tr("Ctrl+O"), tr("Open photographs")},
        {tr("Ctrl+V"), tr("Paste a photograph")},
        {tr("1 to 9"), tr("Choose a face, with the photograph in focus")},
        {tr("Ctrl+S"), tr("Save the clip")},
        {tr("Space"), tr("Play and pause")},
        {tr("Left, Right"), tr("One frame; with Shift one second")},
        {tr("Home, End"), tr("First and last frame")},
        {tr("Ctrl+L"), tr("Loop")},
        {tr("Ctrl+Shift+T"), tr("Dark or light")},
        {tr("F11"), tr("Full screen")},
    };
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(20, 16, 28, 18);
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(7);
    int row = 0;
    for (const auto& [key, meaning] : keys) {
        grid->addWidget(makeHeading(key, Ink::Text, TextSize::Text), row, 0);
        grid->addWidget(makeLabel(meaning, Ink::Dim, TextSize::Text), row++, 1);
    }
}

}  // namespace mirror::ui
