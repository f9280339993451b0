// The compiler refuses Retry.ts and retry.ts in one program, so that it learns of the table's type here, and the bundler
// finds the table itself (vite.config.ts).
declare module "bindings/retry" {
  export const RETRY: Record<
    import("../../../../ui/src/bindings/Code").Code,
    import("../../../../ui/src/bindings/Retry").Retry
  >;
}
