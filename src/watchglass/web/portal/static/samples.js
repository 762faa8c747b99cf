// One key answers about a moment that gave no alert; space pauses, arrows step. Without this the buttons do the same.

const clip = document.getElementById("sample-clip");
const form = document.getElementById("sample");
const STEP = 0.2; // seconds, about one picture

if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
  clip.autoplay = false;
  clip.pause();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const button = form.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (button) {
    form.requestSubmit(button);
  } else if (event.target.closest("button, a, video, input")) {
    return;
  } else if (event.key === " ") {
    if (clip.paused) clip.play();
    else clip.pause();
    event.preventDefault();
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    clip.pause();
    clip.currentTime = Math.max(0, clip.currentTime + (event.key === "ArrowLeft" ? -STEP : STEP));
    event.preventDefault();
  }
});
