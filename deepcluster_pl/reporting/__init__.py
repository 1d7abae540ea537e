"""What a person looks at: figures, pages, the gallery, TensorBoard, the console."""
