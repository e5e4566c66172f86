/** Seconds that a key moves. */
const moves: Record<string, number> = { ArrowLeft: -5, ArrowRight: 5, j: -10, l: 10 };

/**
 * Keys while the focus is inside the player: space and k, arrows, j and l. Sliders and menus keep
 * their own keys, and outside the player no letter does anything (WCAG 2.2, 2.1.4). In full screen
 * the player's library listens on the window too, so what is done here goes no further.
 */
export function keys(frame: HTMLElement, media: HTMLMediaElement): void {
  const box = media.parentElement ?? frame;
  box.tabIndex = -1;
  box.addEventListener("pointerup", () => {
    if (document.activeElement === document.body) box.focus({ preventScroll: true });
  });
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as Element;
    if (target.closest("input, select, [role=menu], .shaka-settings-menu, .shaka-overflow-menu")) return;
    const move = moves[event.key];
    if (move !== undefined) media.currentTime = Math.max(0, media.currentTime + move);
    else if (event.key === "k" || (event.key === " " && !target.closest("button"))) void toggle(media);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

async function toggle(media: HTMLMediaElement): Promise<void> {
  if (media.paused) await media.play().catch(() => undefined);
  else media.pause();
}
