import { defineConfig, type Plugin } from "vite";

// Browsers of the last five years or so, televisions among them.
const browsers = ["chrome87", "edge88", "firefox78", "safari14"];

/** The player's stylesheet fetches a font from another host; nothing here may call home. */
function withoutForeignFonts(): Plugin {
  return {
    name: "without-foreign-fonts",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("shaka-player/dist/controls.css")) return null;
      return code.replace(/@font-face\s*\{[^}]*\}/g, "").replace(/\/\*# sourceMappingURL=[^*]*\*\//, "");
    },
  };
}

export default defineConfig({
  plugins: [withoutForeignFonts()],
  build: {
    outDir: "dist",
    manifest: true,
    target: browsers,
    cssTarget: browsers,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // The player's library is one file of 0.9 MB; it is loaded by pages that play, after the page.
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      input: {
        style: "src/style/main.css",
        app: "src/app.ts",
        player: "src/player.ts",
        viewer: "src/viewer.ts",
        studio: "src/studio.ts",
        review: "src/review.ts",
        captions: "src/captions.ts",
        courses: "src/courses.ts",
      },
    },
  },
});
